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

from flowml.automl.contract import dates
from flowml.automl.contract.feeds import FIRST_SECOND, LAST_SECOND, MISSING_DATE, MISSING_TOKENS, NUMBER_LIMIT
from flowml.storage.records import COMMA_DECIMALS, COMMA_THOUSANDS

_TOKENS = frozenset(MISSING_TOKENS)
# What people write for "no value" in columns of numbers, in any case.
_NO_NUMBER = re.compile(
    r"\?|-{1,3}|\.{1,2}|\*|#?n/?a|n\.a\.?|nan|nat|<na>|null|none|nil|nul|missing|unknown|undefined|no data|"
    r"not (available|applicable)|#(value|num|ref|null)!|#div/0!|#name\?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?[\d.,]*\d[\d.,]*", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*),\d+", re.ASCII)
_INFINITE = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})
_NAN = math.nan
_EPOCH = dt.datetime(1970, 1, 1)
_LONGEST_NUMBER = 1024  # bits
_MOST_SHOWN = 40  # characters of a value inside a message
_YEARS = (1, 9999)

# How people spell yes and no in columns of truth values.
TRUTHS: dict[str, float] = {
    **dict.fromkeys(("true", "t", "yes", "y", "on"), 1.0),
    **dict.fromkeys(("false", "f", "no", "n", "off"), 0.0),
}

Told = str  # a message, empty if there is nothing to remark
Written = tuple[str, ...]  # how texts of the column were written in training, see `Column`

FROM_TRUTH = "true and false read as 1 and 0"
FROM_DURATION = "a duration read as seconds"
FROM_TEXT = "text read as a number"
FROM_COMMA = "text with a decimal comma read as a number"
FROM_GROUPS = "text with grouped thousands read as a number"
FROM_DATE = "text read as a date"
NATURAL_IN_TEXT = (FROM_TEXT, FROM_COMMA, FROM_GROUPS, FROM_DATE)  # no surprise where all values are text


def shown(value: Any) -> str:
    """A value as it appears in a message: short and on one line."""
    if not isinstance(value, str | float | int | dt.date | dt.time) or _is_long(value):
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
        return bool(value != value)
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return isinstance(value, Decimal) and value.is_nan()


# --- numbers ----------------------------------------------------------------------------------------------


def number(value: Any, reading: str = "", written: Written = ()) -> tuple[float, Told]:
    """`reading` is the column's type where it matters: boolean (1 and 0), time (seconds of the day)."""
    kind = type(value)
    if kind is float or kind is int:
        return _bounded(value)
    if is_missing(value):
        return _NAN, ""
    if isinstance(value, bool | np.bool_):
        return float(value), "" if reading == "boolean" else FROM_TRUTH
    if isinstance(value, str | bytes):
        return _number_of_text(_decoded(value), reading, written)
    if isinstance(value, dt.timedelta | np.timedelta64):
        stored, told = _bounded(_seconds_of(value))
        return stored, told or ("" if reading in ("", "duration") else FROM_DURATION)
    if isinstance(value, int | float | np.number | Decimal) and not isinstance(value, np.complexfloating):
        return _bounded(value.item() if isinstance(value, np.generic) else value)
    if isinstance(value, dt.time) and reading in ("", "time"):
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


def _number_of_text(text: str, reading: str, written: Written) -> tuple[float, Told]:
    bare = text.strip()
    if bare in _TOKENS:
        return _NAN, ""
    if reading == "boolean" and bare.lower() in TRUTHS:
        return TRUTHS[bare.lower()], ""
    clock = _clock(bare, written) if reading == "time" else None
    if clock is not None:
        return clock, ""
    if bare.lower() in ("true", "false"):
        return TRUTHS[bare.lower()], FROM_TRUTH
    if _NUMBER.fullmatch(bare):
        stored, told = _bounded(float(bare))
        return stored, told or FROM_TEXT
    if bare.lower() in _INFINITE:
        return _NAN, "infinite: taken as missing"
    if _NO_NUMBER.fullmatch(bare):
        return _NAN, ""
    if "," in bare and _COMMA.fullmatch(bare):
        return _number_with_comma(bare, written)
    return _NAN, f"text {shown(text)} is no number: taken as missing"


def _number_with_comma(text: str, written: Written) -> tuple[float, Told]:
    """A comma before exactly three digits may group thousands or start decimals: training may tell which."""
    groups = bool(_THOUSANDS.fullmatch(text)) and COMMA_DECIMALS not in written
    decimals = bool(_DECIMAL.fullmatch(text)) and COMMA_THOUSANDS not in written
    if groups and decimals:
        return _NAN, f"text {shown(text)} could be two numbers (write it without a comma): taken as missing"
    if groups:
        stored, told = _bounded(float(text.replace(",", "")))
        return stored, told or FROM_GROUPS
    if decimals:
        stored, told = _bounded(float(text.replace(".", "").replace(",", ".")))
        return stored, told or FROM_COMMA
    return _NAN, f"text {shown(text)} is no number: taken as missing"


def _clock(text: str, written: Written) -> float | None:
    """Seconds of the day of a time such as 12:30 or 12:30:05, or None."""
    if ":" not in text:
        return None
    try:
        return _seconds_of_day(dt.time.fromisoformat(text))
    except ValueError:
        found = dates.parse(text, written)
        return None if found is None else _seconds_of_day(found.time())


def _seconds_of_day(value: dt.time) -> float:
    return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6


def _seconds_of(value: dt.timedelta | np.timedelta64) -> float:
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    return float(value / np.timedelta64(1, "s"))


# --- text -------------------------------------------------------------------------------------------------


def text(value: Any) -> tuple[str, Told]:
    """Whole numbers are spelled without a point, so that 1 and 1.0 are one category."""
    if type(value) is str:
        return _clean(value), ""
    if is_missing(value):
        return "", ""
    if isinstance(value, bool | np.bool_):
        return ("true" if value else "false"), ""
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    elif isinstance(value, dt.timedelta | np.timedelta64):
        value = _seconds_of(value)
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float | Decimal):
        value = float(value)
        return (str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)), ""
    if isinstance(value, int):
        if _is_long(value):
            return "", "a number of over 300 digits: taken as missing"
        return str(value), ""
    if isinstance(value, dt.date | dt.time):
        return value.isoformat(), ""
    if isinstance(value, str | bytes):
        return _clean(str(_decoded(value))), ""
    return "", f"{shown(value)} is no text: taken as missing"


def _decoded(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _clean(value: str) -> str:
    bare = value.strip()
    if bare in _TOKENS:
        return ""
    if bare.isascii():
        return bare
    return bare.encode("utf-8", "replace").decode("utf-8")  # lone surrogates cannot be fed


# --- dates ------------------------------------------------------------------------------------------------


def seconds(value: Any, zoned: bool = False, written: Written = ()) -> tuple[int, Told]:
    """`zoned`: the column's dates came with a time zone in training."""
    if is_missing(value):
        return MISSING_DATE, ""
    if isinstance(value, np.datetime64):
        return _seconds_of_datetime64(value, zoned)
    if isinstance(value, str | bytes):
        return _seconds_of_text(_decoded(value), zoned, written)
    if isinstance(value, dt.datetime):
        return _seconds_of_datetime(value, zoned)
    if isinstance(value, dt.date):
        return (value - _EPOCH.date()).days * 86_400, ""
    return MISSING_DATE, f"{shown(value)} is no date (write it like 2026-11-23): taken as missing"


def _seconds_of_datetime64(value: np.datetime64, zoned: bool) -> tuple[int, Told]:
    year = int(value.astype("datetime64[Y]").astype(np.int64)) + 1970
    if not _YEARS[0] <= year <= _YEARS[1]:  # beyond them seconds may overflow
        return MISSING_DATE, _BEYOND
    return _within(int(value.astype("datetime64[s]").astype(np.int64)), _WITHOUT_ZONE if zoned else "")


def _seconds_of_text(text: str, zoned: bool, written: Written) -> tuple[int, Told]:
    bare = text.strip()
    if bare in _TOKENS or _NO_NUMBER.fullmatch(bare):
        return MISSING_DATE, ""
    try:
        return _seconds_of_datetime(dt.datetime.fromisoformat(bare), zoned)
    except ValueError:
        found = dates.parse(bare, written)
    if found is not None:
        return _seconds_of_datetime(found, zoned)
    several = dates.readings(bare)
    if len(several) == 1:
        stored, told = _seconds_of_datetime(several[0], zoned)
        return stored, told or FROM_DATE
    if several:
        return (
            MISSING_DATE,
            f"text {shown(text)} could be two dates (write it like 2026-11-23): taken as missing",
        )
    return MISSING_DATE, (
        f"text {shown(text)} is no date (write it like 2026-11-23 or 2026-11-23T12:00): taken as missing"
    )


def _seconds_of_datetime(value: dt.datetime, zoned: bool) -> tuple[int, Told]:
    offset = value.utcoffset()
    naive = value.replace(tzinfo=None)
    if offset is None:
        told = _WITHOUT_ZONE if zoned else ""
        return _within((naive - _EPOCH) // dt.timedelta(seconds=1), told)
    told = "" if zoned else "converted from its time zone to UTC"
    return _within((naive - _EPOCH - offset) // dt.timedelta(seconds=1), told)


_WITHOUT_ZONE = "without a time zone: read as UTC"
_BEYOND = "date outside the years 1 to 9999: taken as missing"


def _within(value: int, told: Told) -> tuple[int, Told]:
    if FIRST_SECOND <= value <= LAST_SECOND:
        return value, told
    return MISSING_DATE, _BEYOND
