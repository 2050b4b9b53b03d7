"""The contract of a model: what rows it expects, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from flowml.automl.contract import conversion, tables
from flowml.automl.contract.column import ContractColumn, Kind, kind_of
from flowml.automl.contract.feeds import Feeds, missing
from flowml.automl.contract.naming import matched
from flowml.automl.contract.reading import DTYPES, Converted
from flowml.automl.contract.surprises import RowWarning, Surprise, Warnings
from flowml.storage.errors import ContractError
from flowml.storage.records import Json, Record, Role, Task

MOST_CATEGORIES = 2_000  # kept for each column
OUTPUTS = ("label", "probabilities", "prediction")


class FeatureLike(Protocol):
    """What is asked of a feature: `Feature` of `problem` has it."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def type(self) -> str: ...
    @property
    def written(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Contract(Record):
    columns: tuple[ContractColumn, ...]
    task: Task
    target: str = ""
    classes: tuple[str, ...] = ()  # as text, in the order of the probabilities; () for regression
    label_type: str = "string"  # string, integer, boolean: what the classes were before
    metric: str = ""

    @classmethod
    def learn(
        cls,
        frame: pl.DataFrame,
        features: Iterable[FeatureLike],
        *,
        task: Task,
        target: str = "",
        classes: Sequence[str] = (),
        label_type: str = "string",
        metric: str = "",
    ) -> Contract:
        """Describe the feature columns of a training table."""
        columns = tuple(learn_column(frame[feature.name], feature) for feature in features)
        return cls(_with_free_inputs(columns), task, target, tuple(classes), label_type, metric)

    def accept(self, rows: tables.Rows, as_text: bool = False) -> tuple[Feeds, Warnings]:
        """Turn rows of any usual form into feeds. Training and every way to predict go through here.

        What is unexpected becomes a defined value and a warning; ContractError only where no answer makes
        sense: no table, two columns of one name, or none of the columns that the model knows. `as_text`:
        the rows come from where all values are text, which is then no surprise.
        """
        if isinstance(rows, Mapping):
            return self.accept_row(rows)
        table = tables.read(rows)
        columns = self._under_known_names(table.columns)
        if table.rows:
            self.refuse_strangers(columns)
        feeds, surprises = Feeds(), list[Surprise]()
        for column in self.columns:
            stored, told = _convert(column, columns.get(column.name), table.rows, as_text)
            feeds[column.feed] = stored
            surprises += told
        return feeds, Warnings(surprises + self._ignored(columns, table.rows))

    def accept_row(self, row: Mapping[str, Any]) -> tuple[Feeds, Warnings]:
        """The fast way for one row as a dict of plain values."""
        row = self._under_known_names(row)
        if self.names.isdisjoint(row):
            self.refuse_strangers(row)
        feeds, surprises = Feeds(), list[Surprise]()
        for column in self.columns:
            if column.name in row:
                stored, told = conversion.of_value(column, row[column.name])
                feeds[column.feed] = np.array([[stored]], DTYPES[column.kind])
                if told:
                    surprises.append(Surprise(column.name, told, _FIRST_ROW))
            else:
                feeds[column.feed], absent = conversion.absent(column, 1)
                surprises += absent
        if not row.keys() <= self.names:
            surprises += self._ignored(row, 1)
        return feeds, Warnings(surprises)

    @property
    def example(self) -> Json:
        """An ordinary row, as JSON."""
        return {column.name: column.example for column in self.columns}

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(column.name for column in self.columns)

    def column(self, name: str) -> ContractColumn | None:
        return next((column for column in self.columns if column.name == name), None)

    def _under_known_names(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        return given if self.names <= given.keys() else matched(given, self.names)

    def refuse_strangers(self, given: Iterable[str]) -> None:
        """Raises ContractError where none of the columns is known to the model."""
        if self.columns and self.names.isdisjoint(matched(dict.fromkeys(given), self.names)):
            came, wanted = _listed(given), _listed(column.name for column in self.columns)
            raise ContractError(
                f"None of the columns that the model knows is there; given: {came or 'no column'}.",
                f"It expects {wanted}.",
            )

    def ignored(self, given: Iterable[str], rows: int) -> tuple[RowWarning, ...]:
        """A warning for each column that the model does not know."""
        found = matched(dict.fromkeys(given), self.names)
        return tuple(Warnings(self._ignored(found, rows)))

    def _ignored(self, given: Iterable[str], rows: int) -> list[Surprise]:
        message = "not known to the model: ignored"
        extra = [name for name in given if name not in self.names and name != self.target]
        return [Surprise(str(name), message, np.arange(rows), whole=True) for name in extra]


_FIRST_ROW = np.zeros(1, np.int64)


def _listed(names: Iterable[str], most: int = 10) -> str:
    shown = [str(name) for name in names]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


def _convert(
    column: ContractColumn, values: pl.Series | list[Any] | None, rows: int, as_text: bool
) -> Converted:
    if values is None:
        return conversion.absent(column, rows)
    if isinstance(values, pl.Series):
        return conversion.of_series(column, values, as_text)
    return conversion.of_list(column, values)


# --- learning ---------------------------------------------------------------------------------------------


def learn_column(series: pl.Series, feature: FeatureLike) -> ContractColumn:
    bare = ContractColumn(
        name=feature.name,
        role=feature.role,
        kind=kind_of(feature.name, feature.role, series.dtype),
        type=feature.type,
        complete=False,  # nothing is unseen while learning
        missing_share=1.0,
        zoned=bool(getattr(series.dtype, "time_zone", None)),
        written=feature.written,
    )
    stored = conversion.of_series(bare, series)[0].ravel()
    empty = missing(stored)
    share = float(empty.mean()) if len(empty) else 0.0
    return replace(_described(bare, stored[~empty]), missing_share=share)


def _described(column: ContractColumn, present: npt.NDArray[Any]) -> ContractColumn:
    if column.kind is Kind.STRING:
        counts = pl.Series("value", present, dtype=pl.String).value_counts()
        ordered = counts.sort(["count", "value"], descending=[True, False])["value"].to_list()
        kept = tuple(ordered[:MOST_CATEGORIES])
        return replace(
            column, categories=kept, complete=len(kept) == len(ordered), example=kept[0] if kept else None
        )
    if column.kind is Kind.TEXT:
        return replace(column, complete=True, example="some text")
    if not len(present):
        return replace(column, complete=True)
    middle = np.partition(present, len(present) // 2)[len(present) // 2]
    example = float(middle) if column.kind is Kind.NUMBER else _moment(middle, column.zoned)
    return replace(
        column, complete=True, minimum=float(present.min()), maximum=float(present.max()), example=example
    )


def _moment(seconds: np.int64, zoned: bool) -> str:
    return str(seconds.astype("datetime64[s]")) + "Z" * zoned


def _with_free_inputs(columns: tuple[ContractColumn, ...]) -> tuple[ContractColumn, ...]:
    """Inputs of the graph are called as the columns, unless an output is called so."""
    taken = {column.name for column in columns}
    renamed = []
    for column in columns:
        name = column.name
        while name in OUTPUTS or (name != column.name and name in taken):
            name += "_"
        taken.add(name)
        renamed.append(replace(column, input=name) if name != column.name else column)
    return tuple(renamed)
