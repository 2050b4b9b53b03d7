"""Categories as what the target was like among their rows, for columns with many categories.

Each category's mean is drawn towards the mean of all rows, the more so the fewer rows it has: by how much
follows from how far the categories differ beyond chance, as in a model with random effects. A row that
taught a mean must not be learned from with it, as its own target would be in it: it gets that of other rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flowml.automl.contract import Contract, Feeds, Kind
from flowml.automl.features.block import Matrix, Vector
from flowml.automl.features.categories import Codebook
from flowml.automl.features.graph import Graph, concat
from flowml.automl.shape import MANY
from flowml.storage.records import Record

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

MOST_KINDS = 10_000  # categories of one column with a mean of their own
RAREST = 2  # rows of such a category
MOST_CLASSES = 10  # of a target, with a mean for each
PARTS = 5  # of the rows that teach: each gets its means from the others
FEWEST, MOST = 1.0, 1e6  # rows that the mean of all may weigh as much as


@dataclass(frozen=True)
class Means(Record):
    """For each column the standardised means of the row's category, one for each side of the target."""

    books: tuple[Codebook, ...]
    sides: tuple[str, ...]  # classes, or "" for a regression
    tables: tuple[tuple[tuple[float, ...], ...], ...]  # column, code, side

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{book.column} mean {side}".strip() for book in self.books for side in self.sides)

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(book.column for book in self.books for _ in self.sides)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        return (0,) * len(self.names)

    def transform(self, feeds: Feeds) -> Matrix:
        return self.look_up([places_of(book, feeds) for book in self.books])

    def look_up(self, places: Sequence[Places]) -> Matrix:
        """The features of rows whose codes are known."""
        tables = [np.array(table, np.float32) for table in self.tables]
        return np.concatenate([table[each] for table, each in zip(tables, places, strict=True)], axis=1)

    def build(self, graph: Graph) -> str:
        parts = []
        for book, table in zip(self.books, self.tables, strict=True):
            codes = graph.op("Reshape", book.build(graph), graph.constant([-1], np.int64))
            parts.append(
                graph.op("Gather", graph.constant(table, np.float32), graph.cast(codes, np.int64), axis=0)
            )
        return concat(graph, parts)


def books_of(contract: Contract, feeds: Feeds) -> tuple[Codebook, ...]:
    """Of the columns that are worth means, learned without the target."""
    columns = [c for c in contract.columns if c.kind is Kind.STRING and len(c.categories) > MANY]
    return tuple(Codebook.fit(c.feed, feeds, MOST_KINDS, RAREST, always=True) for c in columns)


def places_of(book: Codebook, feeds: Feeds) -> Places:
    return book.codes(feeds).ravel().astype(np.int64)


def sides_of(y: Vector, classes: Sequence[str]) -> tuple[Floats, tuple[str, ...]]:
    """What means are taken of: the values, the second of two classes, or each of the most frequent ones."""
    if not classes:
        return y.astype(np.float64).reshape(-1, 1), ("",)
    counts = np.bincount(y, minlength=len(classes))
    frequent = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
    chosen = [1] if len(classes) == 2 else sorted(frequent.tolist())
    return (y[:, None] == np.array(chosen)).astype(np.float64), tuple(classes[k] for k in chosen)


def deal(rows: int, groups: Vector | None, draw: np.random.Generator) -> Places:
    """The part of each row; rows of one group stay together."""
    if groups is None:
        return draw.permutation(np.arange(rows) % PARTS)
    names, places = np.unique(groups, return_inverse=True)
    return draw.permutation(np.arange(len(names)) % PARTS)[places]


def learn(
    books: tuple[Codebook, ...],
    places: Sequence[Places],
    sides: tuple[Floats, tuple[str, ...]],
    weights: Floats,
    part: Places,
) -> tuple[Means, Matrix]:
    """The means that some rows teach, and the features that these rows themselves are learned from with."""
    values, labels = sides
    tables, own = list[Matrix](), list[Matrix]()
    for book, codes in zip(books, places, strict=True):
        table, crosswise = _learn_column(codes, values, weights, book.size, part)
        tables.append(table)
        own.append(crosswise)
    frozen = tuple(tuple(map(tuple, table.tolist())) for table in tables)
    return Means(books, labels, frozen), np.concatenate(own, axis=1)


def _learn_column(
    codes: Places, values: Floats, weights: Floats, size: int, part: Places
) -> tuple[Matrix, Matrix]:
    """The table (codes, sides) and the crosswise means (rows, sides), standardised alike."""
    values = values - np.average(values, axis=0, weights=weights)
    whole = Sums.of(codes, values, weights, size)
    pull = whole.pull()
    own = np.empty(values.shape)
    for number in range(int(part.max(initial=0)) + 1):
        mine = part == number
        others = whole.without(Sums.of(codes[mine], values[mine], weights[mine], size))
        own[mine] = others.means(pull)[codes[mine]]
    spread = own.std(axis=0)
    spread[~(spread > 0)] = 1.0
    return (whole.means(pull) / spread).astype(np.float32), (own / spread).astype(np.float32)


@dataclass(frozen=True)
class Sums:
    """Over the rows of each category of one column, of values whose mean is 0."""

    counts: Floats  # (codes, 1)
    totals: Floats  # (codes, sides)
    squares: Floats  # (codes, sides)

    @classmethod
    def of(cls, codes: Places, values: Floats, weights: Floats, size: int) -> Sums:
        def summed(columns: Floats) -> Floats:
            return np.stack([np.bincount(codes, each * weights, size) for each in columns.T], axis=1)

        return cls(summed(np.ones((len(codes), 1))), summed(values), summed(values**2))

    def without(self, part: Sums) -> Sums:
        counts = np.maximum(self.counts - part.counts, 0.0)
        return Sums(counts, self.totals - part.totals, self.squares - part.squares)

    def means(self, pull: Floats) -> Floats:
        drawn: Floats = self.totals / (self.counts + pull)
        return drawn

    def pull(self) -> Floats:
        """How many rows the mean of all weighs as much as, for each side."""
        used = self.counts[:, 0] > 0
        counts, totals, squares = self.counts[used], self.totals[used], self.squares[used]
        groups, rows = len(counts), counts.sum()
        if groups < 2 or rows <= groups:
            return np.full(totals.shape[1], MOST)
        within = np.maximum((squares - totals**2 / counts).sum(axis=0), 0.0) / (rows - groups)
        between = (counts * (totals / counts) ** 2).sum(axis=0) / (groups - 1)
        typical = (rows - (counts**2).sum() / rows) / (groups - 1)
        spread = np.maximum(between - within, 0.0) / typical
        pull: Floats = np.clip(within / np.maximum(spread, within / MOST + 1e-300), FEWEST, MOST)
        return pull
