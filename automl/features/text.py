"""Text: how long it is, how many words it has, and which frequent words occur in it.

ONNX can neither lower-case nor strip letters without a locale of the machine, so each spelling of a word that
training saw ("Late", "late,", "LATE") is listed under the one word it stands for, and so are those that the
start and the end of a sentence give it. Words end at a space.
"""

from __future__ import annotations

import string
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flowml.automl.contract import MISSING_TOKENS, Feeds
from flowml.automl.features.block import Matrix
from flowml.automl.features.graph import ML, Graph, concat
from flowml.storage.records import Record

LENGTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)  # characters; each reached adds 1 to the length feature
MOST_COMMON_SHARE = 0.8  # words in more texts than this tell little
MOST_SPELLINGS = 20  # kept for one word


@dataclass(frozen=True)
class Words(Record):
    """Features of one column of text. Missing text is an empty one: all of its features are 0."""

    column: str
    words: tuple[str, ...]
    spellings: tuple[tuple[str, ...], ...]  # of each word

    @classmethod
    def fit(cls, column: str, feeds: Feeds, most: int) -> Words:
        texts = Tokens.of(feeds[column])
        spelled = spellings_of(texts, most, max(2, texts.count // 200))
        return cls(column, tuple(spelled), tuple(spelled.values()))

    @property
    def names(self) -> tuple[str, ...]:
        return (
            f"{self.column} length",
            f"{self.column} words",
            *(f"{self.column} has {word!r}" for word in self.words),
        )

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.column,) * len(self.names)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return (0,) * (2 + len(self.words))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {token: place for place, tokens in enumerate(self.spellings) for token in tokens}

    def transform(self, feeds: Feeds) -> Matrix:
        texts = Tokens.of(feeds[self.column])
        features = np.zeros((texts.count, 2 + len(self.words)), np.float32)
        features[:, 0] = np.searchsorted(LENGTHS, texts.lengths, side="right")
        features[:, 1] = np.bincount(texts.rows, minlength=texts.count)
        rows, places = texts.places(self._places)
        features[rows, 2 + places] = 1
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
        return graph.op("Mul", concat(graph, parts), is_there(graph, self.column))

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


def is_there(graph: Graph, column: str) -> str:
    """1 where a text came, 0 where it is missing: float32 (rows, 1)."""
    return graph.op(
        "LabelEncoder",
        column,
        domain=ML,
        keys_strings=list(MISSING_TOKENS),
        values_floats=[0.0] * len(MISSING_TOKENS),
        default_float=1.0,
    )


@dataclass(frozen=True)
class Tokens:
    """The words of many texts as ONNX splits them: at spaces only. Missing texts are empty."""

    count: int
    lengths: npt.NDArray[np.int64]  # of each text, in characters
    rows: npt.NDArray[np.int64]  # of each word
    words: pl.Series

    @classmethod
    def of(cls, feed: npt.NDArray[Any]) -> Tokens:
        texts = pl.Series("word", feed.ravel(), dtype=pl.String)
        texts = texts.replace(list(MISSING_TOKENS), [""] * len(MISSING_TOKENS))
        split = texts.to_frame().with_row_index("row").with_columns(pl.col("word").str.split(" "))
        words = split.explode("word").filter(pl.col("word") != "")
        lengths = texts.str.len_chars().cast(pl.Int64).to_numpy()
        return cls(len(texts), lengths, words["row"].cast(pl.Int64).to_numpy(), words["word"])

    def rows_with_each(self, names: dict[str, str] | None = None) -> Counter[str]:
        """In how many texts each word occurs, or each of the names that words are given."""
        named = self.words if names is None else self.words.replace_strict(names, return_dtype=pl.String)
        pairs = pl.DataFrame({"row": self.rows, "word": named}).unique()
        counted = pairs["word"].value_counts()
        return Counter(dict(zip(counted["word"].to_list(), counted["count"].to_list(), strict=True)))

    def places(self, known: dict[str, int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Row and place of each word that is known; the others are left out."""
        if not known:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        found = self.words.replace_strict(known, default=-1, return_dtype=pl.Int64).to_numpy()
        return self.rows[found >= 0], found[found >= 0]


def bare(token: str) -> str:
    """The word that a token spells."""
    return token.strip(string.punctuation).lower()


def spellings_of(texts: Tokens, most: int, rarest: int) -> dict[str, tuple[str, ...]]:
    """The most frequent words, each with its most frequent spellings."""
    spelled = texts.rows_with_each()
    by_word = dict[str, list[str]]()
    for token in sorted(spelled, key=lambda token: (-spelled[token], token)):
        by_word.setdefault(bare(token), []).append(token)
    by_word.pop("", None)
    found = texts.rows_with_each({token: bare(token) for token in spelled})
    kept = [word for word in by_word if rarest <= found[word] <= MOST_COMMON_SHARE * texts.count]
    words = sorted(kept, key=lambda word: (-found[word], word))[:most]
    return {word: _spelled(word, by_word[word][:MOST_SPELLINGS]) for word in words}


def _spelled(word: str, seen: list[str]) -> tuple[str, ...]:
    """The spellings that training saw, and those that a sentence may give any word."""
    likely = (start + end for start in (word, word.capitalize()) for end in ("", ".", ","))
    return (*seen, *(token for token in likely if token not in seen and bare(token) == word))
