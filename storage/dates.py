"""Dates and times written as text: which way of writing a column uses, and its values."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

ENOUGH = 0.95  # of the values must parse for the column to hold dates
MOST_WAYS = 6  # of writing within one column
FIRST_YEAR = 1000  # what has fewer digits was misread


@dataclass(frozen=True)
class Way:
    """One way of writing a date. `swapped` is what it means if day and month change places."""

    pattern: str
    format: str
    swapped: str = ""


MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
LONG_MONTH = r"(january|february|march|april|june|july|august|september|october|november|december)"
DATES = (
    Way(r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d"),
    Way(r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
    Way(r"\d{4}\.\d{1,2}\.\d{1,2}", "%Y.%m.%d"),
    Way(r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
    Way(r"\d{1,2}\.\d{1,2}\.\d{2}", "%d.%m.%y"),
    Way(r"\d{1,2}/\d{1,2}/\d{4}", "%m/%d/%Y", "%d/%m/%Y"),
    Way(r"\d{1,2}/\d{1,2}/\d{2}", "%m/%d/%y", "%d/%m/%y"),
    Way(r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y", "%m-%d-%Y"),
    Way(rf"\d{{1,2}} {MONTH} \d{{4}}", "%d %b %Y"),
    Way(rf"\d{{1,2}}-{MONTH}-\d{{4}}", "%d-%b-%Y"),
    Way(rf"\d{{1,2}}-{MONTH}-\d{{2}}", "%d-%b-%y"),
    Way(rf"\d{{1,2}} {LONG_MONTH} \d{{4}}", "%d %B %Y"),
    Way(rf"{MONTH} \d{{1,2}}, \d{{4}}", "%b %d, %Y"),
    Way(rf"{LONG_MONTH} \d{{1,2}}, \d{{4}}", "%B %d, %Y"),
)
CLOCKS = (
    Way(r"\d{1,2}:\d{2}", "%H:%M"),
    Way(r"\d{1,2}:\d{2}:\d{2}(\.\d+)?", "%H:%M:%S%.f"),
    Way(r"\d{1,2}:\d{2} ?[ap]m", "%I:%M %p"),
    Way(r"\d{1,2}:\d{2}:\d{2} ?[ap]m", "%I:%M:%S %p"),
)
GAPS = (("T", "T"), (" ", " "), (", ", ", "))
ZONES = (("", ""), (r" ?(z|[+-]\d{2}:?\d{2})", "%#z"))


def _all_ways() -> tuple[Way, ...]:
    """Dates alone, with a time of the day, and with a time zone after it."""
    ways = list(DATES)
    ways.append(Way(r"\d{8}t\d{6}", "%Y%m%dT%H%M%S"))
    for date in DATES:
        for clock in CLOCKS:
            for gap, between in GAPS:
                for zone, offset in ZONES:
                    swapped = date.swapped and date.swapped + between + clock.format + offset
                    pattern = date.pattern + gap.lower() + clock.pattern + zone
                    ways.append(Way(pattern, date.format + between + clock.format + offset, swapped))
    return tuple(ways)


WAYS = _all_ways()
MAYBE = re.compile(rf"\d{{1,4}}[-/.: ]|\d{{8}}t|({LONG_MONTH}|{MONTH}) \d", re.IGNORECASE)  # how all begin


def as_dates(column: pl.Series, sample: Sequence[str]) -> tuple[pl.Series, str] | None:
    """The column as dates or times with a note on how it was read; None if it holds something else.

    `sample` holds some of its values. Values that are no date become missing.
    """
    for known_ways, parse in ((WAYS, _parse_dates), (CLOCKS, _parse_clocks)):
        ways = _ways_of(sample, known_ways)
        if ways:
            parsed, note = parse(column, ways)
            known = len(column) - column.null_count()
            lost = parsed.null_count() - column.null_count()
            if known and lost <= (1 - ENOUGH) * known:
                return parsed, _and_lost(note, lost)
    return None


def _ways_of(sample: Sequence[str], ways: Sequence[Way]) -> list[Way]:
    """The ways that the values of the sample are written, most frequent first; none if too few are dates."""
    found: Counter[Way] = Counter()
    strays = 0
    for value in sample:
        way = MAYBE.match(value) and next((way for way in ways if _pattern(way).fullmatch(value)), None)
        if way:
            found[way] += 1
        else:
            strays += 1
        if strays > max(3, (1 - ENOUGH) * 2 * len(sample)):
            return []
    return [way for way, _ in found.most_common(MOST_WAYS)]


@functools.cache
def _pattern(way: Way) -> re.Pattern[str]:
    """Made when a value is the first that may be written so: they are many."""
    return re.compile(way.pattern, re.IGNORECASE)


def formats_of(sample: Sequence[str], clocks: bool = False) -> list[Way]:
    """The ways that dates, or times of the day, are written in a sample, most frequent first."""
    return _ways_of(sample, CLOCKS if clocks else WAYS)


def parse_one_way(column: pl.Series, format: str, dtype: pl.DataType) -> pl.Series:
    """The dates or times in a column that are written so, as this type; the others are missing."""
    if dtype == pl.Time:
        text, full = "2000-01-01 " + pl.col(column.name), f"%Y-%m-%d {format}"
    else:
        text, full = pl.col(column.name), format
    moments = column.to_frame().select(_moment(text, full, "%#z" in format)).to_series()
    if isinstance(dtype, pl.Datetime) and dtype.time_zone and moments.dtype != dtype:
        moments = moments.dt.replace_time_zone(dtype.time_zone)
    return moments.dt.time() if dtype == pl.Time else moments.cast(dtype)


def _parse_dates(column: pl.Series, ways: list[Way]) -> tuple[pl.Series, str]:
    first = _parse(column, [way.format for way in ways])
    if not any(way.swapped for way in ways):
        return first, note_of(_example(column))
    months_first = any(way.swapped and way.format.startswith("%m") for way in ways)
    second = _parse(column, [way.swapped or way.format for way in ways])
    if _fits_better(second, first):
        first, months_first = second, not months_first
    order = "month/day" if months_first else "day/month"
    return first, f"{note_of(_example(column))}, read as {order}"


def note_of(example: str) -> str:
    return f"dates written like {example!r}"


def _fits_better(second: pl.Series, first: pl.Series) -> bool:
    """Whether more values parse, or as many but only so they come in order."""
    if second.null_count() != first.null_count():
        return second.null_count() < first.null_count()
    return second.is_sorted() and not first.is_sorted()


def _parse(column: pl.Series, formats: list[str]) -> pl.Series:
    zoned = any("%#z" in each for each in formats)
    timed = any("%H" in each or "%I" in each for each in formats)
    name = column.name
    parsed = column.to_frame().select(
        pl.coalesce(_moment(pl.col(name), each, zoned) for each in formats).alias(name)
    )
    moments = parsed.select(pl.when(pl.col(name).dt.year() >= FIRST_YEAR).then(pl.col(name)))[name]
    return moments if timed else moments.cast(pl.Date)


def _moment(text: pl.Expr, format: str, zoned: bool) -> pl.Expr:
    clocked = "%H" in format or "%I" in format
    full = format if clocked else f"{format} %H:%M"
    moment = (text if clocked else text + " 00:00").str.to_datetime(full, time_unit="us", strict=False)
    return moment.dt.replace_time_zone("UTC") if zoned and "%#z" not in format else moment


def _parse_clocks(column: pl.Series, ways: list[Way]) -> tuple[pl.Series, str]:
    name = column.name
    day = [_moment("2000-01-01 " + pl.col(name), f"%Y-%m-%d {way.format}", False) for way in ways]
    parsed = column.to_frame().select(pl.coalesce(day).dt.time().alias(name))[name]
    return parsed, f"times of the day written like {_example(column)!r}"


def _example(column: pl.Series) -> str:
    return str(column.drop_nulls()[0])


def _and_lost(note: str, lost: int) -> str:
    return note + (f"; {lost:,} other values became missing" if lost else "")
