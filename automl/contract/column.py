"""One column that a model expects."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import polars as pl

from flowml.automl.contract.spellings import Spellings
from flowml.storage.errors import DataError
from flowml.storage.records import Record, Role


class Kind(StrEnum):
    """How a column travels: see `feeds`."""

    NUMBER = "number"
    STRING = "string"
    DATETIME = "datetime"
    TEXT = "text"


@dataclass(frozen=True)
class ContractColumn(Record):
    """What training saw in one column."""

    name: str
    role: Role
    kind: Kind
    type: str = ""  # as the dataset's schema calls it: integer, boolean, date, time, ...
    input: str = ""  # name in the ONNX graph, where it differs from `name`
    categories: tuple[str, ...] = ()  # seen in training, most frequent first
    complete: bool = True  # False: there were more categories than are kept here
    minimum: float | None = None  # of numbers, and of dates in seconds since 1970
    maximum: float | None = None
    missing_share: float = 0.0
    example: str | float | None = None  # an ordinary value, as JSON holds it
    zoned: bool = False  # its dates came with a time zone
    written: tuple[str, ...] = ()  # how its texts wrote dates or numbers, see `storage.records.Column`

    @property
    def feed(self) -> str:
        return self.input or self.name

    @property
    def reading(self) -> str:
        """How `values.number` should read surprising values."""
        return "boolean" if self.role is Role.BOOLEAN else self.type

    @cached_property
    def known(self) -> frozenset[str]:
        return frozenset(self.categories)

    @cached_property
    def spellings(self) -> Spellings:
        """Of categories that were all kept; where some were not, nothing can be told."""
        return Spellings.of(self.categories if self.complete else ())


_TEMPORAL = (pl.Date, pl.Datetime)
_COUNTABLE = (pl.Boolean, pl.Time, pl.Duration)
_WORDS = (pl.String, pl.Categorical, pl.Enum, pl.Null)


def kind_of(name: str, role: Role, dtype: pl.DataType) -> Kind:
    """How a column of this role and type travels. A role that a user chose is followed where the type can."""
    if dtype.is_nested() or dtype == pl.Object or dtype == pl.Binary:
        raise DataError(
            f"Column {name!r} holds {dtype}; a model can learn from numbers, text, dates and yes/no only.",
            "Set its role to ignored, or split it into plain columns.",
        )
    if role is Role.CATEGORICAL:
        return Kind.STRING
    if role is Role.TEXT:
        return Kind.TEXT
    if isinstance(dtype, _TEMPORAL):
        return Kind.DATETIME
    if dtype.is_numeric() or isinstance(dtype, _COUNTABLE):
        return Kind.NUMBER
    return _kind_of_words(role)


def _kind_of_words(role: Role) -> Kind:
    by_role: dict[Role, Kind] = {
        Role.NUMERIC: Kind.NUMBER,
        Role.DATETIME: Kind.DATETIME,
        Role.TIME: Kind.DATETIME,
    }
    return by_role.get(role, Kind.STRING)


def is_temporal(dtype: Any) -> bool:
    return isinstance(dtype, _TEMPORAL)


def is_words(dtype: Any) -> bool:
    return isinstance(dtype, _WORDS)
