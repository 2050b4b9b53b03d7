"""Text: how long it is, how many words it has, and which frequent words occur in it.

ONNX can neither lower-case nor strip letters without a locale of the machine, so each spelling of a word that
training saw ("Late", "late,", "LATE") is listed under the one word it stands for. Words end at a space.
"""

from __future__ import annotations

import string
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowml.automl.contract import MISSING_TOKENS, Feeds
from flowml.automl.features.block import Matrix
from flowml.automl.features.graph import ML, Graph, concat
from flowml.storage.records import Record

LENGTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)  # characters; each reached adds 1 to the length feature
MOST_COMMON_SHARE = 0.8  # words in more texts than this tell little
MOST_SPELLINGS = 20  # kept for one word
_TOKENS = frozenset(MISSING_TOKENS)


@dataclass(frozen=True)
class Words(Record):
    """Features of one column of text. Missing text is an empty one: all of its features are 0."""

    column: str
    words: tuple[str, ...]
    spellings: tuple[tuple[str, ...], ...]  # of each word

    @classmethod
    def fit(cls, column: str, feeds: Feeds, most: int) -> Words:
        texts = [tokens_of(text) for text in feeds[column].ravel()]
        spelled = Counter(token for tokens in texts for token in set(tokens))
        by_word = dict[str, list[str]]()
        for token in sorted(spelled, key=lambda token: (-spelled[token], token)):
            by_word.setdefault(bare(token), []).append(token)
        by_word.pop("", None)
        found = Counter(word for tokens in texts for word in {bare(token) for token in tokens})
        rarest, commonest = max(2, len(texts) // 200), MOST_COMMON_SHARE * len(texts)
        kept = [word for word in by_word if rarest <= found[word] <= commonest]
        words = tuple(sorted(kept, key=lambda word: (-found[word], word))[:most])
        return cls(column, words, tuple(tuple(by_word[word][:MOST_SPELLINGS]) for word in words))

    @property
    def names(self) -> tuple[str, ...]:
        return (
            f"{self.column} length",
            f"{self.column} words",
            *(f"{self.column} has {word!r}" for word in self.words),
        )

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return (0,) * (2 + len(self.words))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {token: place for place, tokens in enumerate(self.spellings) for token in tokens}

    def transform(self, feeds: Feeds) -> Matrix:
        features = np.zeros((len(feeds[self.column]), 2 + len(self.words)), np.float32)
        for row, text in zip(features, feeds[self.column].ravel(), strict=True):
            tokens = tokens_of(text)
            row[0] = 0 if text in _TOKENS else sum(len(text) >= length for length in LENGTHS)
            row[1] = len(tokens)
            row[[2 + self._places[token] for token in tokens if token in self._places]] = 1
        return features

    def build(self, graph: Graph) -> str:
        reached = [
            graph.cast(graph.op("RegexFullMatch", self.column, pattern=f"(?s).{{{length},}}"), np.float32)
            for length in LENGTHS
        ]
        split, count = graph.ops("StringSplit", self.column, outputs=2)
        parts = [graph.op("Sum", *reached), graph.cast(count, np.float32)]
        if self.words:
            parts.append(self._build_words(graph, split))
        present = graph.op(
            "LabelEncoder",
            self.column,
            domain=ML,
            keys_strings=list(MISSING_TOKENS),
            values_floats=[0.0] * len(MISSING_TOKENS),
            default_float=1.0,
        )
        return graph.op("Mul", concat(graph, parts), present)

    def _build_words(self, graph: Graph, split: str) -> str:
        """Words of each text (rows, 1, words) to one column for each known word."""
        pairs = [(token, place) for token, place in self._places.items()]
        counts = graph.op(
            "TfIdfVectorizer",
            graph.op("Squeeze", split, graph.constant([1], np.int64)),
            mode="TF",
            min_gram_length=1,
            max_gram_length=1,
            max_skip_count=0,
            ngram_counts=[0],
            ngram_indexes=[place for _, place in pairs],
            pool_strings=[token for token, _ in pairs],
        )
        return graph.op("Min", counts, graph.constant(1, np.float32))


def tokens_of(text: str) -> list[str]:
    """The words of a text as ONNX splits them: at spaces only."""
    return [] if text in _TOKENS else [token for token in text.split(" ") if token]


def bare(token: str) -> str:
    """The word that a token spells."""
    return token.strip(string.punctuation).lower()
