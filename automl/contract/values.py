"""One value of any Python type, turned into what its column holds.

Each function returns the stored value and a message, which is empty where there was nothing to remark.
A value that cannot be meant for the column becomes missing, with a message: a row is never refused for it.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any

import numpy as np

from flowml.automl.contract.feeds import FIRST_SECOND, LAST_SECOND, MISSING_DATE, MISSING_TOKENS, NUMBER_LIMIT

_TOKENS = frozenset(MISSING_TOKENS)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_INFINITE = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})
_NAN = math.nan
_EPOCH = dt.datetime(1970, 1, 1)
_LONGEST_NUMBER = 1024  # bits
_MOST_SHOWN = 40  # characters of a value inside a message

# How people spell yes and no in columns of truth values.
TRUTHS: dict[str, float] = {
    **dict.fromkeys(("true", "t", "yes", "y", "on"), 1.0),
    **dict.fromkeys(("false", "f", "no", "n", "off"), 0.0),
}

Told = str  # a message, empty if there is nothing to remark


def shown(value: Any) -> str:
    """A value as it appears in a message: short and on one line."""
    if not isinstance(value, str | float | int | dt.date) or _is_long(value):
        return f"a value of type {type(value).__name__}"
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"


def _is_long(value: Any) -> bool:
    """Python refuses to spell integers of thousands of digits."""
    return isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER


def is_missing(value: Any) -> bool:
    """None, NaN, NaT and NA of the common libraries."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, float | np.floating):
        return value != value
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return isinstance(value, Decimal) and value.is_nan()


def number(value: Any, reading: str = "") -> tuple[float, Told]:
    """`reading` is the column's type where it matters: boolean (1 and 0), time (seconds of the day)."""
    kind = type(value)
    if kind is float or kind is int:
        return _bounded(value)
    if is_missing(value):
        return _NAN, ""
    if isinstance(value, bool | np.bool_):
        return float(value), "" if reading == "boolean" else "true and false read as 1 and 0"
    if isinstance(value, str):
        return _number_of_text(value, reading)
    if isinstance(value, int | float | np.number | Decimal) and not isinstance(value, np.complexfloating):
        return _bounded(value.item() if isinstance(value, np.generic) else value)
    if isinstance(value, dt.timedelta):
        return value.total_seconds(), ""
    if isinstance(value, dt.time):
        return _seconds_of_day(value), ""
    return _NAN, f"{shown(value)} is no number: taken as missing"


def _bounded(value: int | float | Decimal) -> tuple[float, Told]:
    if -NUMBER_LIMIT <= value <= NUMBER_LIMIT:
        return float(value), ""
    if value != value:
        return _NAN, ""
    if not isinstance(value, int) and math.isinf(value):
        return _NAN, "infinite: taken as missing"
    return _NAN, f"beyond {NUMBER_LIMIT:.1e}: taken as missing"


def _number_of_text(text: str, reading: str) -> tuple[float, Told]:
    bare = text.strip()
    if bare in _TOKENS:
        return _NAN, ""
    if reading == "boolean" and bare.lower() in TRUTHS:
        return TRUTHS[bare.lower()], ""
    clock = _clock(bare) if reading == "time" else None
    if clock is not None:
        return clock, ""
    if _NUMBER.fullmatch(bare):
        stored, told = _bounded(float(bare))
        return stored, told or "text read as a number"
    if bare.lower() in _INFINITE:
        return _NAN, "infinite: taken as missing"
    if _COMMA.fullmatch(bare):
        return _number_with_comma(bare)
    return _NAN, f"text {shown(text)} is no number: taken as missing"


def _number_with_comma(text: str) -> tuple[float, Told]:
    """A comma before exactly three digits may group thousands or start decimals: nobody can tell."""
    if len(text.partition(",")[2]) == 3:
        return _NAN, f"text {shown(text)} could be two numbers (write it without a comma): taken as missing"
    stored, told = _bounded(float(text.replace(",", ".")))
    return stored, told or "text with a decimal comma read as a number"


def _clock(text: str) -> float | None:
    """Seconds of the day of a time such as 12:30 or 12:30:05, or None."""
    if ":" not in text:
        return None
    try:
        return _seconds_of_day(dt.time.fromisoformat(text))
    except ValueError:
        return None


def _seconds_of_day(value: dt.time) -> float:
    return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6


def text(value: Any) -> tuple[str, Told]:
    """Whole numbers are spelled without a point, so that 1 and 1.0 are one category."""
    if type(value) is str:
        return _clean(value), ""
    if is_missing(value):
        return "", ""
    if isinstance(value, bool | np.bool_):
        return ("true" if value else "false"), ""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return (str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)), ""
    if isinstance(value, int):
        if _is_long(value):
            return "", "a number of over 300 digits: taken as missing"
        return str(value), ""
    if isinstance(value, dt.date | dt.time):
        return value.isoformat(), ""
    if isinstance(value, bytes):
        return _clean(value.decode("utf-8", "replace")), ""
    if isinstance(value, str | Decimal):
        return _clean(str(value)), ""
    return "", f"{shown(value)} is no text: taken as missing"


def _clean(value: str) -> str:
    if value in _TOKENS or value.isspace():
        return ""
    if value.isascii():
        return value
    return value.encode("utf-8", "replace").decode("utf-8")  # lone surrogates cannot be fed


def seconds(value: Any, zoned: bool = False) -> tuple[int, Told]:
    """`zoned`: the column's dates came with a time zone in training."""
    if is_missing(value):
        return MISSING_DATE, ""
    if isinstance(value, np.datetime64):
        return _within(int(value.astype("datetime64[s]").astype(np.int64)), "")
    if isinstance(value, str):
        return _seconds_of_text(value, zoned)
    if isinstance(value, dt.datetime):
        return _seconds_of_datetime(value, zoned)
    if isinstance(value, dt.date):
        return (value - _EPOCH.date()).days * 86_400, ""
    return MISSING_DATE, f"{shown(value)} is no date (write it like 2026-11-23): taken as missing"


def _seconds_of_text(text: str, zoned: bool) -> tuple[int, Told]:
    bare = text.strip()
    if bare in _TOKENS:
        return MISSING_DATE, ""
    try:
        return _seconds_of_datetime(dt.datetime.fromisoformat(bare), zoned)
    except ValueError:
        return MISSING_DATE, (
            f"text {shown(text)} is no date (write it like 2026-11-23 or 2026-11-23T12:00): taken as missing"
        )


def _seconds_of_datetime(value: dt.datetime, zoned: bool) -> tuple[int, Told]:
    offset = value.utcoffset()
    naive = value.replace(tzinfo=None)
    if offset is None:
        told = "without a time zone: read as UTC" if zoned else ""
        return _within((naive - _EPOCH) // dt.timedelta(seconds=1), told)
    told = "" if zoned else "converted from its time zone to UTC"
    return _within((naive - _EPOCH - offset) // dt.timedelta(seconds=1), told)


def _within(value: int, told: Told) -> tuple[int, Told]:
    if FIRST_SECOND <= value <= LAST_SECOND:
        return value, told
    return MISSING_DATE, "date outside the years 1 to 9999: taken as missing"
