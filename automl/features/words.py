"""Text as what the target was like where its words occur: one sum over the words of a text for each side.

Each word's mean is drawn towards that of all rows, as those of categories are. The parts that words add are
whole numbers: sums of rounded ones depend on their order, which Python and a graph do not share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowml.automl.contract import MISSING_TOKENS, Contract, Feeds, Kind
from flowml.automl.features.block import Matrix
from flowml.automl.features.graph import ML, Graph
from flowml.automl.features.means import Floats, Places, Sums
from flowml.automl.features.text import Tokens, is_there, spellings_of
from flowml.storage.records import Record

MOST_WORDS = 5_000  # of one column, with a mean of their own
RAREST = 2  # texts that have such a word
STEPS = 1024  # of which a part is a multiple
FURTHEST = 32  # that one word may shift a text


@dataclass(frozen=True)
class Vocabulary(Record):
    """The words of one column of text, learned without the target: each spelling leads to its word."""

    column: str
    tokens: tuple[str, ...]
    words: tuple[int, ...]  # the number of the word that each token spells
    size: int

    @classmethod
    def fit(cls, column: str, feeds: Feeds) -> Vocabulary:
        spelled = spellings_of(Tokens.of(feeds[column]), MOST_WORDS, RAREST)
        pairs = [(token, number) for number, tokens in enumerate(spelled.values()) for token in tokens]
        return cls(column, tuple(t for t, _ in pairs), tuple(n for _, n in pairs), len(spelled))

    @cached_property
    def numbers(self) -> dict[str, int]:
        return dict(zip(self.tokens, self.words, strict=True))

    def found(self, feeds: Feeds) -> Found:
        rows, words = Tokens.of(feeds[self.column]).places(self.numbers)
        return Found(len(feeds[self.column]), rows, words)


@dataclass(frozen=True)
class Found:
    """Which known words the texts have, one entry for each."""

    count: int  # of texts
    rows: Places
    words: Places

    def of(self, rows: Places) -> Found:
        """The same for some texts, in their order."""
        order = np.full(self.count, -1)
        order[rows] = np.arange(len(rows))
        kept = order[self.rows] >= 0
        return Found(len(rows), order[self.rows[kept]], self.words[kept])

    def sums(self, parts: Floats) -> Floats:
        """The parts (words, sides) that the words of each text add up to: (texts, sides)."""
        each = parts[self.words]
        return np.stack([np.bincount(self.rows, part, self.count) for part in each.T], axis=1)


@dataclass(frozen=True)
class WordMeans(Record):
    vocabulary: Vocabulary
    sides: tuple[str, ...]
    parts: tuple[tuple[int, ...], ...]  # word, side

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.vocabulary.column} words mean {side}".strip() for side in self.sides)

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.vocabulary.column,) * len(self.sides)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return (0,) * len(self.sides)

    def transform(self, feeds: Feeds) -> Matrix:
        return self.look_up(self.vocabulary.found(feeds))

    def look_up(self, found: Found) -> Matrix:
        parts = np.array(self.parts, np.float64).reshape(-1, len(self.sides))
        return (found.sums(parts) / STEPS).astype(np.float32)

    def build(self, graph: Graph) -> str:
        column, unknown = self.vocabulary.column, [0] * len(self.sides)
        split, _ = graph.ops("StringSplit", column, outputs=2)
        words = graph.op(
            "LabelEncoder",
            graph.op("Squeeze", split, graph.constant([1], np.int64)),
            domain=ML,
            keys_strings=[*self.vocabulary.tokens, *MISSING_TOKENS],
            values_int64s=[*self.vocabulary.words, *[self.vocabulary.size] * len(MISSING_TOKENS)],
            default_int64=self.vocabulary.size,
        )
        table = graph.constant([*self.parts, unknown], np.int32)
        parts = graph.op("Gather", table, words, axis=0)
        total = graph.op("ReduceSum", parts, graph.constant([1], np.int64), keepdims=0)
        scaled = graph.op("Div", graph.cast(total, np.float64), graph.constant(STEPS, np.float64))
        return graph.op("Mul", graph.cast(scaled, np.float32), is_there(graph, column))


def vocabularies_of(contract: Contract, feeds: Feeds) -> tuple[Vocabulary, ...]:
    fitted = [Vocabulary.fit(c.feed, feeds) for c in contract.columns if c.kind is Kind.TEXT]
    return tuple(vocabulary for vocabulary in fitted if vocabulary.size)


def learn_words(
    vocabulary: Vocabulary,
    found: Found,
    sides: tuple[Floats, Sequence[str]],
    weights: Floats,
    part: Places,
) -> tuple[WordMeans, Matrix]:
    """The block that some texts teach, and the features that these texts themselves are learned from with."""
    values, labels = sides
    values = values - np.average(values, axis=0, weights=weights)
    whole = _sums(vocabulary, found, values, weights)
    pull = whole.pull()
    own = np.empty(values.shape)
    for number in range(int(part.max(initial=0)) + 1):
        mine = np.flatnonzero(part == number)
        texts = found.of(mine)
        others = whole.without(_sums(vocabulary, texts, values[mine], weights[mine]))
        own[mine] = texts.sums(others.means(pull))
    spread = own.std(axis=0)
    spread[~(spread > 0)] = 1.0
    parts = np.clip(np.rint(whole.means(pull) / spread * STEPS), -FURTHEST * STEPS, FURTHEST * STEPS)
    frozen = tuple(map(tuple, parts.astype(np.int64).tolist()))
    return WordMeans(vocabulary, tuple(labels), frozen), (own / spread).astype(np.float32)


def _sums(vocabulary: Vocabulary, found: Found, values: Floats, weights: Floats) -> Sums:
    return Sums.of(found.words, values[found.rows], weights[found.rows], vocabulary.size)
