"""Whether the rows that a model is asked about are like those it was trained on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Self

import numpy as np
import polars as pl

from flowml.automl.contract import MISSING_DATE, Contract, ContractColumn, Feeds, Kind
from flowml.automl.serve import Predictor
from flowml.storage.drift import Comparison
from flowml.storage.records import DriftReference, DriftSummary


class Likeness:
    """Counts the feeds of a model piece by piece, as the contract made them of whatever came."""

    def __init__(self, contract: Contract, reference: DriftReference) -> None:
        compared = {column.name for column in reference.columns}
        self._columns = [column for column in contract.columns if column.name in compared]
        self._comparison = Comparison(reference)
        self._seen: set[str] = set()  # columns that came

    @classmethod
    def of(cls, predictor: Predictor) -> Self | None:
        """None for a model whose file does not say how its training table was spread."""
        told = predictor.about("reference")
        return cls(predictor.contract, DriftReference.from_dict(told)) if told else None

    def add(self, feeds: Feeds) -> None:
        self._comparison.add(pl.DataFrame([_series(column, feeds) for column in self._columns]))

    def saw(self, names: Iterable[str]) -> None:
        """Tells of columns that the rows have; a record stands for all its fields."""
        self._seen.update(names)

    def summary(self) -> DriftSummary:
        """Columns that no row had are absent: that all their values are missing says nothing of values."""
        whole = self._comparison.summary()
        columns = tuple(each for each in whole.columns if self._came(each.column))
        absent = tuple(each.column for each in whole.columns if not self._came(each.column))
        return replace(whole, columns=columns, absent=(*whole.absent, *sorted(absent)))

    def _came(self, name: str) -> bool:
        return name in self._seen or name.partition(".")[0] in self._seen


def _series(column: ContractColumn, feeds: Feeds) -> pl.Series:
    values = feeds[column.feed].ravel()
    if column.kind is Kind.NUMBER:
        numbers = pl.Series(column.name, values, nan_to_null=True)
        return numbers.cast(pl.Boolean) if column.reading == "boolean" else numbers
    if column.kind is Kind.DATETIME:
        known = np.where(values == MISSING_DATE, 0, values)
        moments = pl.Series(column.name, known * 1_000).cast(pl.Datetime("ms"))
        return moments.set(pl.Series(values == MISSING_DATE), None)
    return pl.Series(column.name, values, dtype=pl.String).replace("", None)
