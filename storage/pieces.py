"""A table of any format in pieces, its columns named as we keep them and otherwise as they are.

What the texts mean is left to whoever reads on: a model knows from its training what each column holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flowml.storage.canonical import flattened
from flowml.storage.formats import Located, recognise
from flowml.storage.formats.row import Piece, Stream
from flowml.storage.names import unique_names

ROWS = 50_000  # of a piece


@dataclass(frozen=True)
class Pieces:
    names: tuple[str, ...] | None  # of all columns, in order; None: each row brings its own
    as_text: bool  # cells may be text, whatever they mean
    rows: int | None  # where the file tells before it is read
    each: Iterator[Piece]  # only of the columns that are wanted


def open_pieces(
    path: Path, name: str, wanted: Callable[[str], bool] = lambda _: True, rows: int = ROWS
) -> Pieces:
    """`name` is what the file is called. Raises UnknownFormat too, also for a file that wraps a table."""
    return pieces_of(Located(path, name, recognise(path, name)), wanted, rows)


def pieces_of(found: Located, wanted: Callable[[str], bool] = lambda _: True, rows: int = ROWS) -> Pieces:
    """Raises EmptyFile, UnknownTable, BrokenFile or FileTooLarge, some of them only when the pieces are
    read.
    """
    stream = _stream(found)
    if stream.names is None:
        return Pieces(None, not stream.typed, stream.rows, stream.pieces(rows, ()))
    names, _ = unique_names(stream.names)
    kept = [at for at, each in enumerate(names) if wanted(each)]
    called = {str(at): names[at] for at in kept}
    each = (_named(piece, called) for piece in stream.pieces(rows, kept))
    return Pieces(names, not stream.typed, stream.rows, each)


def _named(piece: Piece, called: dict[str, str]) -> Piece:
    return piece.rename(called) if isinstance(piece, pl.DataFrame) else piece


def _stream(found: Located) -> Stream:
    """Formats that must be read as a whole are cut up afterwards."""
    if found.format.stream is not None:
        return found.format.stream(found.path)
    reading = found.format.open(found.path, found.table)
    frame, names = flattened(reading.frame, reading.names)

    def pieces(rows: int, wanted: Sequence[int]) -> Iterator[Piece]:
        chosen = frame.select([str(at) for at in wanted]) if wanted else pl.DataFrame(height=frame.height)
        yield from (chosen.slice(start, rows) for start in range(0, frame.height, rows))

    return Stream(tuple(names), pieces, reading.typed, frame.height)
