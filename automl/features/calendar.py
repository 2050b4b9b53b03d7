"""Parts of a date by whole-number arithmetic, which numpy arrays and tensors of a graph share step by step.

The civil calendar is counted from 1 March of the year 0: leap days come last and every number is positive,
where numpy and ONNX divide alike. See `Tensor` for the operators that a graph offers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flowml.automl.contract import MISSING_DATE
from flowml.automl.features.graph import Graph, Tensor, concat
from flowml.storage.records import Record

DAY = 86_400
SHIFT = 719_468  # days from 0000-03-01 to 1970-01-01
ERA = 146_097  # days of 400 years

Whole = Any  # an int64 array, or a Tensor


class Calendar:
    """The parts of dates, given in seconds since 1970."""

    def __init__(self, seconds: Whole) -> None:
        self.seconds = seconds + SHIFT * DAY
        self.days_from_march = self.seconds // DAY

    def days(self) -> Whole:
        return self.days_from_march - SHIFT

    def weekday(self) -> Whole:
        """Monday is 0."""
        return (self.days_from_march + 2) % 7

    def hour(self) -> Whole:
        return self.seconds % DAY // 3600

    def day(self) -> Whole:
        return self._day_of_year() - (self._month_from_march() * 153 + 2) // 5 + 1

    def month(self) -> Whole:
        return (self._month_from_march() + 2) % 12 + 1

    def date(self) -> Whole:
        """The day inside the year, the same number in each: 1225 is Christmas, leap year or not."""
        return self.month() * 100 + self.day()

    def year(self) -> Whole:
        years = self._year_of_era() + self._era() * 400
        return years + (self.month() <= 2)

    def _era(self) -> Whole:
        return self.days_from_march // ERA

    def _day_of_era(self) -> Whole:
        return self.days_from_march - self._era() * ERA

    def _year_of_era(self) -> Whole:
        day = self._day_of_era()
        return (day - day // 1_460 + day // 36_524 - day // 146_096) // 365

    def _day_of_year(self) -> Whole:
        year = self._year_of_era()
        return self._day_of_era() - (year * 365 + year // 4 - year // 100)

    def _month_from_march(self) -> Whole:
        return (self._day_of_year() * 5 + 2) // 153


PARTS = {
    "year": Calendar.year,
    "month": Calendar.month,
    "day": Calendar.day,
    "date": Calendar.date,
    "weekday": Calendar.weekday,
    "hour": Calendar.hour,
    "days": Calendar.days,  # since 1970
}
CYCLES = {"month": range(1, 13), "weekday": range(7), "hour": range(24)}  # parts with few values that recur


def parts_of(
    seconds: npt.NDArray[np.int64], names: Sequence[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Parts of the dates of one column (rows, 1) side by side, and where the dates are missing."""
    empty = seconds == MISSING_DATE
    calendar = Calendar(np.where(empty, 0, seconds))
    return np.concatenate([PARTS[name](calendar) for name in names], axis=1), empty


def build_parts(graph: Graph, column: str, names: Sequence[str]) -> tuple[str, str]:
    """The twin of `parts_of` in a graph."""
    empty = graph.op("Equal", column, graph.constant(MISSING_DATE, np.int64))
    calendar = Calendar(Tensor(graph, graph.op("Where", empty, graph.constant(0, np.int64), column)))
    return concat(graph, [PARTS[name](calendar).name for name in names]), empty


def varying(seconds: npt.NDArray[np.int64], among: Sequence[str]) -> tuple[str, ...]:
    """Parts that are not the same in every row."""
    present = seconds[seconds != MISSING_DATE].reshape(-1, 1)
    varies = [len(part) > 0 and part.min() < part.max() for part in parts_of(present, among)[0].T]
    return tuple(name for name, does in zip(among, varies, strict=True) if does)


UNITS = {1: "seconds", 60: "minutes", 3600: "hours", DAY: "days"}
FEWEST_UNITS = 30  # between the earliest and the latest date: the coarsest unit of which there are so many


@dataclass(frozen=True)
class Elapsed(Record):
    """Time since the earliest date of training, in a unit that tells periods apart, not single rows."""

    unit: int = DAY  # seconds
    start: int = 0  # units from 0000-03-01

    @classmethod
    def fit(cls, seconds: npt.NDArray[np.int64]) -> Elapsed:
        present = seconds[seconds != MISSING_DATE] + SHIFT * DAY
        if not len(present):
            return cls()
        earliest, latest = int(present.min()), int(present.max())
        whole = max(unit for unit in UNITS if not (present % unit).any())
        enough = [unit for unit in UNITS if (latest - earliest) // unit >= FEWEST_UNITS]
        unit = max(whole, max(enough, default=1))
        return cls(unit, earliest // unit)

    @property
    def name(self) -> str:
        return UNITS[self.unit]

    def of(self, seconds: Whole) -> Whole:
        return (seconds + SHIFT * DAY) // self.unit - self.start
