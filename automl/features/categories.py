"""Categories as codes, for trees, and as one column for each category, for linear models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flowml.automl.contract import MISSING_TOKENS, Feeds
from flowml.automl.features.block import Matrix
from flowml.automl.features.graph import ML, Graph, concat
from flowml.storage.records import Record


@dataclass(frozen=True)
class Codebook(Record):
    """The codes of one column: 0 for the most frequent category and so on.

    Rare categories and those never seen share the code `other`. A code of -1 is never looked for; None as the
    code of the missing stands for NaN.
    """

    column: str
    keys: tuple[str, ...]
    other: float
    missing: float | None

    @classmethod
    def fit(cls, column: str, feeds: Feeds, most: int, rarest: int, *, always: bool) -> Codebook:
        """Keep at most `most` categories that occur `rarest` times or more.

        `always`: rare and missing values get a code of their own even where training had none.
        """
        values = pl.Series("value", feeds[column].ravel(), dtype=pl.String)
        counts = values.filter(~values.is_in(list(MISSING_TOKENS))).value_counts()
        ordered = counts.sort(["count", "value"], descending=[True, False])
        keys = tuple(ordered.filter(pl.col("count") >= rarest)["value"].head(most))
        has_other = always or len(keys) < counts.height or not keys
        has_missing = always or int(counts["count"].sum()) < len(values)
        return cls(
            column,
            keys,
            other=float(len(keys)) if has_other else -1.0,
            missing=float(len(keys) + has_other) if has_missing else -1.0,
        )

    @property
    def size(self) -> int:
        """How many codes there are, those of `other` and of the missing included."""
        return len(self.labels)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each code stands for."""
        extra = (("<other>", self.other), ("<missing>", self.missing))
        return self.keys + tuple(label for label, code in extra if code is not None and code >= 0)

    @property
    def _missing(self) -> float:
        return np.nan if self.missing is None else self.missing

    def codes(self, feeds: Feeds) -> Matrix:
        values = pl.Series(feeds[self.column].ravel(), dtype=pl.String)
        table = {key: float(code) for code, key in enumerate(self.keys)} | dict.fromkeys(
            MISSING_TOKENS, self._missing
        )
        coded = values.replace_strict(
            list(table), list(table.values()), default=self.other, return_dtype=pl.Float32
        )
        return coded.to_numpy().reshape(-1, 1)

    def build(self, graph: Graph) -> str:
        return graph.op(
            "LabelEncoder",
            self.column,
            domain=ML,
            keys_strings=[*self.keys, *MISSING_TOKENS],
            values_floats=[*map(float, range(len(self.keys))), *[self._missing] * len(MISSING_TOKENS)],
            default_float=self.other,
        )


@dataclass(frozen=True)
class Codes(Record):
    """One code for each column. `native` codes are whole numbers throughout: libraries may split sets."""

    books: tuple[Codebook, ...]
    native: bool

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(book.column for book in self.books)

    @property
    def sources(self) -> tuple[str, ...]:
        return self.names

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return tuple(book.size if self.native else 0 for book in self.books)

    def transform(self, feeds: Feeds) -> Matrix:
        return np.concatenate([book.codes(feeds) for book in self.books], axis=1)

    def build(self, graph: Graph) -> str:
        return concat(graph, [book.build(graph) for book in self.books])


@dataclass(frozen=True)
class Dummies(Record):
    """One column of 0 and 1 for each code of each column."""

    books: tuple[Codebook, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{book.column} = {label}" for book in self.books for label in book.labels)

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(book.column for book in self.books for _ in book.labels)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return (0,) * sum(book.size for book in self.books)

    def transform(self, feeds: Feeds) -> Matrix:
        return np.concatenate(
            [(book.codes(feeds) == _range(book.size)) for book in self.books], axis=1
        ).astype(np.float32)

    def build(self, graph: Graph) -> str:
        parts = [
            graph.op("Equal", book.build(graph), graph.constant(_range(book.size), np.float32))
            for book in self.books
        ]
        return graph.cast(concat(graph, parts), np.float32)


def _range(size: int) -> npt.NDArray[Any]:
    return np.arange(size, dtype=np.float32)[None, :]
