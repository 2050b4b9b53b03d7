"""A table of any format in pieces, its columns named as we keep them and otherwise as they are.

What the texts mean is left to whoever reads on: a model knows from its training what each column holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flowml.storage.canonical import flattened
from flowml.storage.formats import recognise
from flowml.storage.formats.row import Format, Piece, Stream
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
    """`name` is what the file is called. Raises EmptyFile, UnknownFormat, BrokenFile or FileTooLarge, some
    of them only when the pieces are read.
    """
    stream = _stream(recognise(path, name), path)
    if stream.names is None:
        return Pieces(None, not stream.typed, stream.rows, stream.pieces(rows, ()))
    names, _ = unique_names(stream.names)
    kept = [at for at, each in enumerate(names) if wanted(each)]
    called = {str(at): names[at] for at in kept}
    each = (_named(piece, called) for piece in stream.pieces(rows, kept))
    return Pieces(names, not stream.typed, stream.rows, each)


def _named(piece: Piece, called: dict[str, str]) -> Piece:
    return piece.rename(called) if isinstance(piece, pl.DataFrame) else piece


def _stream(row: Format, path: Path) -> Stream:
    """Formats that must be read as a whole are cut up afterwards."""
    if row.stream is not None:
        return row.stream(path)
    reading = row.read(path)
    frame, names = flattened(reading.frame, reading.names)

    def pieces(rows: int, wanted: Sequence[int]) -> Iterator[Piece]:
        chosen = frame.select([str(at) for at in wanted]) if wanted else pl.DataFrame(height=frame.height)
        yield from (chosen.slice(start, rows) for start in range(0, frame.height, rows))

    return Stream(tuple(names), pieces, reading.typed, frame.height)
