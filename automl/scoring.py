"""Predictions for a whole table, as a table: for the command line, the REST API and the pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl

from flowml.automl.contract import Rows
from flowml.automl.serve import Predictions, Predictor
from flowml.storage.errors import SpecError

# A spreadsheet takes cells that begin so for formulas. Plain numbers are safe.
FORMULA = r"^[=+\-@\t\r\n]"
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


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
    return quoted.rename({name: f"'{name}" for name in frame.columns if re.match(FORMULA, name)})


def _quoted(name: str) -> pl.Expr:
    text = pl.col(name)
    danger = text.str.contains(FORMULA) & ~text.str.contains(f"^{NUMBER.pattern}$")
    return pl.when(danger).then("'" + text).otherwise(text).alias(name)


def _write_csv(frame: pl.DataFrame, path: Path) -> None:
    neutralise(frame).write_csv(path)


WRITERS: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    ".csv": _write_csv,
    ".parquet": lambda frame, path: frame.write_parquet(path),
}


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write predictions as the suffix of the path says."""
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise SpecError(
            f"Predictions cannot be written as {path.suffix or 'a file without a suffix'!r}.",
            f"Use a name that ends with {' or '.join(WRITERS)}.",
        )
    writer(frame, path)
