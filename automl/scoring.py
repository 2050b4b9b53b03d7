"""Predictions for a whole table, as a table: for the command line, the REST API and the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from flowml.automl.contract import Feeds, Rows, RowWarning, Tally
from flowml.automl.serve import Predictions, Predictor
from flowml.storage.errors import DataError, SpecError
from flowml.storage.records.sheets import FORMULA, LONGEST, MOST_ROWS, NUMBER, harmless, is_formula


def score(predictor: Predictor, rows: Rows) -> pl.DataFrame:
    """One row for each row given: `prediction`, `probability_<class>` for each class, `warnings`."""
    return to_frame(predictor.predict(rows))


def to_frame(predictions: Predictions) -> pl.DataFrame:
    columns: dict[str, pl.Series] = {"prediction": _values(predictions)}
    if predictions.probabilities is not None:
        for name, shares in zip(predictions.class_names, predictions.probabilities.T, strict=True):
            columns[f"probability_{name}"] = pl.Series(shares, dtype=pl.Float32)
    columns["warnings"] = pl.Series(predictions.warnings.per_row(len(predictions)), dtype=pl.String)
    return pl.DataFrame(columns)


def _values(predictions: Predictions) -> pl.Series:
    kind = predictions.values.dtype.kind
    return pl.Series(predictions.values.tolist(), dtype=_DTYPES[kind])


_DTYPES = {"O": pl.String, "i": pl.Int64, "b": pl.Boolean, "f": pl.Float64}


def neutralise(frame: pl.DataFrame) -> pl.DataFrame:
    """Put a quote before texts, and names of columns, that a spreadsheet would run as formulas."""
    quoted = frame.with_columns(_quoted(name) for name, dtype in frame.schema.items() if dtype == pl.String)
    return quoted.rename({name: harmless(name) for name in frame.columns})


def _quoted(name: str) -> pl.Expr:
    text = pl.col(name)
    danger = text.str.contains(FORMULA) & ~text.str.contains(f"^{NUMBER}$")
    return pl.when(danger).then("'" + text).otherwise(text).alias(name)


class Sink(Protocol):
    """Takes predictions piece by piece. Closed, its file is whole."""

    def write(self, frame: pl.DataFrame) -> None: ...

    def close(self) -> None: ...


class CsvSink:
    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._named = False

    def write(self, frame: pl.DataFrame) -> None:
        neutralise(frame).write_csv(self._file, include_header=not self._named)
        self._named = True

    def close(self) -> None:
        self._file.close()


class ParquetSink:
    """The types follow from the first piece. Polars writes tables as a whole, Arrow in row groups."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, frame: pl.DataFrame) -> None:
        import pyarrow.parquet as parquet

        table = frame.to_arrow()
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class ExcelSink:
    """One sheet, written row after row. A text that looks like a formula bears Excel's own mark of a text."""

    def __init__(self, path: Path) -> None:
        import xlsxwriter

        options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False}
        self._book: Any = xlsxwriter.Workbook(str(path), {**options, "strings_to_urls": False})
        self._sheet = self._book.add_worksheet("Predictions")
        self._quoted = self._book.add_format({"quote_prefix": True})
        self._rows = 0

    def write(self, frame: pl.DataFrame) -> None:
        if not self._rows:
            self._line(frame.columns)
        if self._rows + frame.height > MOST_ROWS + 1:
            raise DataError(f"A sheet of Excel holds {MOST_ROWS:,} rows.", "Choose CSV or Parquet.")
        for row in frame.iter_rows():
            self._line(row)

    def _line(self, cells: Iterable[object]) -> None:
        for place, cell in enumerate(cells):
            if isinstance(cell, str):
                look = self._quoted if is_formula(cell) else None
                self._sheet.write_string(self._rows, place, cell[:LONGEST], look)
            elif isinstance(cell, bool):
                self._sheet.write_boolean(self._rows, place, cell)
            elif cell is not None and cell == cell:
                self._sheet.write_number(self._rows, place, cell)
        self._rows += 1

    def close(self) -> None:
        self._book.close()


SINKS: dict[str, Callable[[Path], Sink]] = {".csv": CsvSink, ".parquet": ParquetSink, ".xlsx": ExcelSink}


def open_sink(path: Path) -> Sink:
    """A new file of the kind that the suffix of the path says. Raises SpecError for a kind that is none."""
    sink = SINKS.get(path.suffix.lower())
    if sink is None:
        raise SpecError(
            f"Predictions cannot be written as {path.suffix or 'a file without a suffix'!r}.",
            f"Use a name that ends with {' or '.join(SINKS)}.",
        )
    return sink(path)


# --- a table larger than memory ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Scored:
    """What was predicted. Warnings are counted over all rows, the first ones are listed."""

    rows: int
    warnings: tuple[RowWarning, ...] = ()
    more_warnings: int = 0  # kinds of warnings beyond those listed


def score_pieces(
    predictor: Predictor,
    pieces: Iterable[Rows],
    sink: Sink,
    *,
    as_text: bool = False,
    told: Callable[[int], object] | None = None,
    watch: Callable[[Feeds], object] | None = None,
) -> Scored:
    """Predict piece after piece into the sink; `told` hears how many rows are done, `watch` sees all feeds.

    `as_text`: the pieces come from a file that holds nothing but text.
    """
    tally, done = Tally(), 0
    for piece in pieces:
        feeds, warnings = predictor.contract.accept(piece, as_text)
        answers = predictor.answer(feeds, warnings)
        if watch is not None:
            watch(feeds)
        sink.write(to_frame(answers))
        tally.add(answers.warnings, done)
        done += len(answers)
        if told is not None:
            told(done)
    if not done:
        sink.write(to_frame(predictor.predict([])))
    return Scored(done, tally.listed, tally.left_out)
