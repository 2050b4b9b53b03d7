"""Dates as text in other ways than 2026-11-23: as training wrote them, else as there is but one reading."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

_PARTS = re.compile(r"(?P<date>.+?)(?:(?:T|,? +)(?P<clock>\d{1,2}:\d{2}.*))?", re.IGNORECASE)
_MONTH_NAMES = ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")
# By the first sign that is neither a letter nor a digit. Years of two digits are never guessed.
_WAYS: dict[str, tuple[str, ...]] = {
    "-": ("%Y-%m-%d", "%d-%m-%Y", "%m-%d-%Y", "%d-%b-%Y"),
    "/": ("%Y/%m/%d", "%m/%d/%Y", "%d/%m/%Y"),
    ".": ("%Y.%m.%d", "%d.%m.%Y"),
    " ": _MONTH_NAMES,
}
_CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%I:%M:%S%p")
_ZONES = ("", "%z", " %z")
_PIVOT = 1969  # of two digits, 69 means 2069 where the tables are read, and 1969 in Python


def parse(text: str, written: Sequence[str]) -> dt.datetime | None:
    """The date that a text means in one of the ways of `written`; None if it is in none of them."""
    for way in written:
        for format_ in python_formats(way):
            found = _parsed(text, format_)
            if found is not None:
                return found
    return None


def readings(text: str) -> list[dt.datetime]:
    """All dates that a text may mean, in ways that are common anywhere."""
    parts = _PARTS.fullmatch(text)
    sign = next((letter for letter in text if not letter.isalnum()), "")
    if parts is None or sign not in _WAYS or not any(letter.isdigit() for letter in text):
        return []
    days = [found for way in _WAYS[sign] if (found := _parsed(parts["date"], way)) is not None]
    if parts["clock"] is None:
        return _distinct(days)
    clock = next(_clocks(parts["clock"]), None)
    return [] if clock is None else _distinct([dt.datetime.combine(day, clock) for day in days])


def _clocks(text: str) -> Iterator[dt.time]:
    for zone in _ZONES:
        for way in _CLOCKS:
            found = _parsed(text, way + zone)
            if found is not None:
                yield found.timetz()


def _distinct(dates: Sequence[dt.datetime]) -> list[dt.datetime]:
    return list(dict.fromkeys(dates))


@lru_cache(maxsize=256)
def python_formats(way: str) -> tuple[str, ...]:
    """A way of writing as tables are read, in the letters that Python knows."""
    ways = [way.replace("%#z", "%z")]
    for there, here in (("%.f", (".%f", "")), (" %p", (" %p", "%p"))):
        ways = [each.replace(there, one) for each in ways for one in here] if there in way else ways
    return tuple(ways)


def _parsed(text: str, format_: str) -> dt.datetime | None:
    try:
        found = dt.datetime.strptime(text, format_)
    except ValueError:
        return None
    pivot = "%y" in format_ and found.year == _PIVOT
    return found.replace(year=_PIVOT + 100) if pivot else found
