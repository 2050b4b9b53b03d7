"""What a format is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from flowml.storage.reading import Reading

HEAD_BYTES = 1 << 18  # what `recognise` sees of a file


Piece: TypeAlias = pl.DataFrame | list[dict[str, Any]]


@dataclass(frozen=True)
class Stream:
    """A table that is read piece by piece, its columns as they stand in the file.

    `pieces` takes the most rows of a piece and the places of the columns that are wanted. Where each row
    brings its own names, there are none to tell before, and the pieces are lists of whole rows.
    """

    names: tuple[str, ...] | None  # as written
    pieces: Callable[[int, Sequence[int]], Iterator[Piece]]
    typed: bool = True  # False: cells are text that may mean numbers, dates or nothing
    rows: int | None = None  # where the file tells before it is read


@dataclass(frozen=True)
class Format:
    """A row of FORMATS. `recognise` goes by the first bytes (and may open the file), never by a name."""

    key: str
    label: str
    suffixes: tuple[str, ...]
    recognise: Callable[[bytes, Path], bool]
    read: Callable[[Path], Reading]
    stream: Callable[[Path], Stream] | None = None  # piece by piece, for files larger than memory
