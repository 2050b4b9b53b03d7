"""Predictions for a file, read and written piece by piece: neither has to fit into memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from flowml.automl.contract import Contract
from flowml.automl.scoring import SINKS, Scored, open_sink, score_pieces
from flowml.automl.serve import Predictor
from flowml.runner.likeness import Likeness
from flowml.storage.errors import SpecError, StorageError
from flowml.storage.formats import Located, locate
from flowml.storage.formats.row import Piece
from flowml.storage.pieces import Pieces, pieces_of
from flowml.storage.records import DriftSummary, FileScored

Told = Callable[[int, int | None], object]


def score_file(
    predictor: Predictor,
    file: Path,
    name: str,
    out: Path,
    told: Told | None = None,
    table: str = "",
    likeness: Likeness | None = None,
) -> Scored:
    """Reads a table of any format (`name` is what its file is called) and writes `out` as its suffix says.

    `out` appears whole or not at all. `told` hears how many rows are done, and of how many if that is known;
    `table` is one of several that the file holds, else the first is read; `likeness` sees all rows.
    """
    check_suffix(out)
    try:
        with tempfile.TemporaryDirectory(prefix=".scoring-", dir=out.parent) as folder:
            return _score(predictor, locate(file, name, Path(folder), table), out, told, likeness)
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror}.", "Choose another place.") from error


def score_and_compare(
    predictor: Predictor, file: Path, name: str, out: Path, told: Told | None = None, table: str = ""
) -> FileScored:
    """As `score_file`, and how the rows differ from those of the training, if the model's file tells that."""
    likeness = Likeness.of(predictor)
    found = score_file(predictor, file, name, out, told, table, likeness)
    drift = likeness.summary() if likeness and found.rows else None
    return FileScored(found.rows, tuple(map(str, found.warnings)), found.more_warnings, drift)


def compare_file(
    predictor: Predictor, file: Path, name: str, told: Told | None = None, table: str = ""
) -> DriftSummary:
    """How the rows of a file differ from those of the training; nothing is predicted and nothing written.

    Raises SpecError for a model whose file does not tell of its training, and what reading raises.
    """
    likeness = Likeness.of(predictor)
    if likeness is None:
        raise SpecError(
            "The file of this model does not tell how its training table was spread.",
            "Train the model again to compare tables with it.",
        )
    done = 0
    with tempfile.TemporaryDirectory(prefix="comparing-") as folder:
        pieces = _pieces(predictor.contract, locate(file, name, Path(folder), table), likeness)
        for piece in pieces.each:
            feeds, _ = predictor.contract.accept(piece, pieces.as_text)
            likeness.add(feeds)
            done += len(piece)
            if told is not None:
                told(done, pieces.rows)
    return likeness.summary()


def _pieces(contract: Contract, found: Located, likeness: Likeness | None) -> Pieces:
    pieces = pieces_of(found, wanted_by(contract))
    if pieces.names is not None:
        contract.refuse_strangers(pieces.names)
    if likeness is None:
        return pieces
    if pieces.names is not None:
        likeness.saw(pieces.names)
        return pieces
    return replace(pieces, each=_told_of(pieces.each, likeness))


def _told_of(pieces: Iterator[Piece], likeness: Likeness) -> Iterator[Piece]:
    """The pieces, while `likeness` hears which columns their rows have."""
    for piece in pieces:
        likeness.saw(piece.columns if isinstance(piece, pl.DataFrame) else set().union(*piece))
        yield piece


def _score(
    predictor: Predictor, found: Located, out: Path, told: Told | None, likeness: Likeness | None
) -> Scored:
    pieces = _pieces(predictor.contract, found, likeness)
    heard = None if told is None else lambda done: told(done, pieces.rows)
    part = out.with_name(f".{out.stem}.part{out.suffix}")
    try:
        sink = open_sink(part)
        try:
            scored = score_pieces(
                predictor,
                pieces.each,
                sink,
                as_text=pieces.as_text,
                told=heard,
                watch=None if likeness is None else likeness.add,
            )
        finally:
            sink.close()
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    ignored = predictor.contract.ignored(pieces.names or (), scored.rows)
    return replace(scored, warnings=ignored + scored.warnings)


def check_suffix(out: Path) -> None:
    """Raises SpecError for a file that cannot be written."""
    if out.suffix.lower() not in SINKS:
        raise SpecError(f"{out.name} ends in {out.suffix or 'nothing'}.", f"Use {' or '.join(SINKS)}.")


def wanted_by(contract: Contract) -> Callable[[str], bool]:
    """Whether a column of a file matters: the model knows it, or a field of it. Others are not even read."""
    outer = {name.partition(".")[0] for name in contract.names}
    return lambda name: name in contract.names or name in outer
