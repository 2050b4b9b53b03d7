"""What was unexpected in some rows, and how it is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np
import numpy.typing as npt

from flowml.storage.records import Record

LIMIT = 100  # warnings that are listed one by one; the rest is counted


@dataclass(frozen=True)
class Surprise:
    """One kind of surprise in one column, with every row that has it.

    `whole` tells of the column as such (it is missing, unknown, of another type), not of single rows.
    """

    column: str
    message: str
    rows: npt.NDArray[np.int64]
    whole: bool = False


@dataclass(frozen=True)
class RowWarning(Record):
    """A surprise as users see it: the first row that has it (from 0) and how many rows have it."""

    row: int
    column: str
    message: str
    rows: int = 1

    def __str__(self) -> str:
        more = f" (and {self.rows - 1:,} more rows)" if self.rows > 1 else ""
        return f"row {self.row}, {self.column}: {self.message}{more}"


class Warnings(Sequence[RowWarning]):
    """Warnings of one answer, at most LIMIT of them; `total` counts all, `per_row` tells each row its own."""

    def __init__(self, surprises: Sequence[Surprise] = ()) -> None:
        self.surprises = tuple(surprises)
        self._listed = tuple(
            RowWarning(int(s.rows[0]) if len(s.rows) else 0, s.column, s.message, len(s.rows))
            for s in self.surprises[:LIMIT]
        )

    @property
    def total(self) -> int:
        """Warnings, counted once for each column and message."""
        return len(self.surprises)

    @property
    def left_out(self) -> int:
        return self.total - len(self._listed)

    @overload
    def __getitem__(self, index: int) -> RowWarning: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RowWarning, ...]: ...
    def __getitem__(self, index: int | slice) -> RowWarning | tuple[RowWarning, ...]:
        return self._listed[index]

    def __len__(self) -> int:
        return len(self._listed)

    def __iter__(self) -> Iterator[RowWarning]:
        return iter(self._listed)

    def __repr__(self) -> str:
        return f"Warnings({list(map(str, self._listed))}, left_out={self.left_out})"

    def per_row(self, rows: int) -> list[str]:
        """One text for each row, empty where nothing was unexpected."""
        texts = [""] * rows
        for surprise in self.surprises:
            if not surprise.whole:
                words = f"{surprise.column}: {surprise.message}"
                for row in surprise.rows.tolist():
                    texts[row] = f"{texts[row]}; {words}" if texts[row] else words
        return texts


class Tally:
    """Warnings of many pieces of one table, added up: at most LIMIT are listed, the others counted."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], RowWarning] = {}
        self._others = 0

    def add(self, warnings: Warnings, offset: int) -> None:
        """`offset`: rows of the table before this piece."""
        for surprise in warnings.surprises:
            key, rows = (surprise.column, surprise.message), len(surprise.rows)
            known = self._found.get(key)
            if known is not None:
                self._found[key] = replace(known, rows=known.rows + rows)
            elif len(self._found) < LIMIT:
                first = offset + (int(surprise.rows[0]) if rows else 0)
                self._found[key] = RowWarning(first, *key, rows)
            else:
                self._others += 1

    @property
    def listed(self) -> tuple[RowWarning, ...]:
        return tuple(self._found.values())

    @property
    def left_out(self) -> int:
        """Kinds of warnings that are not listed; those of several pieces are counted in each."""
        return self._others
