"""Values that are not what they seem: words for nothing, numbers among words, numbers beyond all others."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import polars as pl

from flowml.storage import mending
from flowml.storage.check.table import Table
from flowml.storage.coded import Floats
from flowml.storage.records import Column, Finding, Role, Severity

# Words that stand for no value. "None" is left out: among kinds it mostly is one.
NO_VALUE = re.compile(
    r"(?i)[\s(\[<]*(\?+|-+|\.+|\*+|_+|#?n ?/ ?a|n\.a\.?|nan|nat|null|nil|nul|missing|unknown|undefined|"
    r"unspecified|not (available|applicable|specified|known|given|recorded|provided|stated)|no data|"
    r"no value|no answer|tbd|refused|k\.? ?a\.?|keine angabe|unbekannt|inconnue?|desconocido|sin datos?)"
    r"[\s)\]>]*"
)
# Numbers that are written where there is none.
NO_NUMBER = frozenset(
    sign * number for number in (99, 999, 9999, 99999, 999999, 9999999) for sign in (1, -1)
) | {-1, -9, -8888, -7777, 8888, 7777}
NO_DATE = frozenset(
    {
        date(1, 1, 1), date(1753, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1),
        date(1970, 1, 1), date(2099, 12, 31), date(2999, 12, 31), date(9999, 12, 31),
    }
)  # fmt: skip
LEAST_TIMES = 3  # a number must occur to stand for nothing
YEARS_APART = 10
MINUS_ONE_SHARE = 0.005  # of the rows, for -1 among counts

NUMERIC = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
CODE = r"^[+-]?0\d"  # 007 is a name
MOSTLY = 0.7  # of the values are numbers, for the others to be strangers
MOST_STRANGERS = 30
QUANTITY = 15  # distinct numbers, for them to be amounts and no codes
WITH_UNIT = r"^([+-]?\d[\d.]*) ?(%|°?[A-Za-z€$£²³/]{1,6})$"
UNIT_BEFORE = r"^([+-]?)(\p{Sc}|US\$|USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD) ?([\d.])"
GROUPED = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"

FAR = 10.0  # times the distance of the farthest ordinary value
FAR_IN_LOG = 0.8  # of the way from a typical distance to the farthest, added to it in logarithms
FAR_SHARE = 0.01  # of the rows, at most
FAR_ROWS = 3  # that may be far in a small table
LEAST_ROWS = 50


# --- words and numbers that stand for nothing -------------------------------------------------------------


def find_disguised(table: Table) -> Iterator[Finding]:
    for column in (*table.features, *_target(table)):
        values = _disguised(table, column)
        if not values:
            continue
        written = {shown: count for shown, _, count in values}
        listed = ", ".join(f"{shown} in {count:,} rows" for shown, count in written.items())
        yield Finding(
            "disguised_missing",
            Severity.NOTE if column.type == "string" else Severity.WARNING,
            f"{column.name!r} holds {listed}, where there seems to be no value.",
            column.name,
            "Mark them as missing, so that no model takes them for a value.",
            {"values": written},
            {
                "query": mending.replaced(
                    {column.name: mending.without_values(column.name, [v for _, v, _ in values])}
                )
            },
        )


def _disguised(table: Table, column: Column) -> list[tuple[str, str, int]]:
    """Each value as shown and as SQL, with its count among the rows that were looked at."""
    known = table.frame[column.name].drop_nulls()
    if known.is_empty():
        return []
    if column.type == "string":
        return _words(known)
    if column.type in ("number", "integer"):
        return _sentinels(known, column.type == "integer")
    return _dates(known) if column.type in ("date", "datetime") else []


def _words(known: pl.Series) -> list[tuple[str, str, int]]:
    counted = known.alias("value").value_counts(name="count", sort=True)
    found = [(value, count) for value, count in counted.iter_rows() if NO_VALUE.fullmatch(value)]
    if not found or len(found) == counted.height:
        return []
    return [(repr(value), mending.text(value), count) for value, count in found]


def _sentinels(known: pl.Series, whole: bool) -> list[tuple[str, str, int]]:
    """From both ends inwards, as long as the end is such a number and stands apart."""
    counted = known.alias("value").cast(pl.Float64).value_counts(name="count").drop_nulls().sort("value")
    values, counts = counted["value"].to_list(), counted["count"].to_list()
    found: list[tuple[str, str, int]] = []
    for end in (0, -1):
        while len(values) > 2 and _stands_apart(values, counts, end, len(known), whole):
            value, count = values.pop(end), counts.pop(end)
            found.append((f"{value:g}", f"{value!r}", count))
    return found


def _stands_apart(values: list[float], counts: list[int], end: int, rows: int, whole: bool) -> bool:
    value, count = values[end], counts[end]
    if value not in NO_NUMBER or count < LEAST_TIMES:
        return False
    rest, weights = np.array(values[1:] if end == 0 else values[:-1]), counts[1:] if end == 0 else counts[:-1]
    if abs(value) < 10:  # -1 and -9 among what is never negative
        return whole and rest.min() >= 0 and len(rest) >= 10 and count >= MINUS_ONE_SHARE * rows
    nearest = rest[0] if end == 0 else rest[-1]
    total = np.cumsum(weights)
    low, high = (rest[np.searchsorted(total, share * total[-1])] for share in (0.01, 0.99))
    spread = max(high - low, abs(nearest) * 0.1, 1e-12)
    return bool(abs(value - nearest) >= spread)


def _dates(known: pl.Series) -> list[tuple[str, str, int]]:
    counted = known.dt.date().alias("value").value_counts(name="count").sort("value")
    days, counts = counted["value"].to_list(), counted["count"].to_list()
    found = []
    for end in (0, -1):
        while len(days) > 2 and days[end] in NO_DATE and counts[end] >= LEAST_TIMES:
            nearest = days[1] if end == 0 else days[-2]
            if abs((nearest - days[end]).days) < 365 * YEARS_APART:
                break
            day, count = days.pop(end), counts.pop(end)
            found.append((str(day), f"DATE '{day}'", count))
    return found


# --- numbers among words ----------------------------------------------------------------------------------


def find_mixed(table: Table) -> Iterator[Finding]:
    for column in table.schema.columns:
        role = table.roles.get(column.name)
        if column.type != "string" or role is None or role is Role.TARGET:
            continue
        known = table.frame[column.name].drop_nulls()
        finding = _mixed_numbers(column.name, known) or _with_units(column.name, known)
        if finding:
            yield finding


def _mixed_numbers(name: str, known: pl.Series) -> Finding | None:
    bare = known.str.strip_chars()
    numeric = bare.str.contains(NUMERIC)
    numbers, others = bare.filter(numeric), bare.filter(~numeric)
    if len(numbers) < max(MOSTLY * len(known), LEAST_ROWS) or others.is_empty():
        return None
    if numbers.n_unique() < QUANTITY or numbers.str.contains(CODE).any():
        return None
    if others.n_unique() > MOST_STRANGERS or _are_codes(others):
        return None
    shown = others.value_counts(sort=True).head(3).to_series().to_list()
    listed = ", ".join(map(repr, shown))
    return Finding(
        "mixed_types",
        Severity.WARNING,
        f"{name!r} holds numbers in {len(numbers) / len(known):.1%} of its rows, and in the others {listed}.",
        name,
        "Read it as a number; what is none becomes missing.",
        {"numbers": len(numbers), "others": {value: int((others == value).sum()) for value in shown}},
        {"query": mending.replaced({name: mending.as_number(name)})},
    )


def _are_codes(others: pl.Series) -> bool:
    """Values such as 12a and B7, as house numbers and codes have them."""
    return float(others.str.contains(r"\d").mean() or 0) > 0.5  # type: ignore[arg-type]


def _with_units(name: str, known: pl.Series) -> Finding | None:
    """Numbers that all have a unit, behind or as money before: $1,250.00."""
    bare = known.str.strip_chars()
    before = bare.str.extract(UNIT_BEFORE, 2)
    bare = bare.str.replace(UNIT_BEFORE, "$1$3")
    if before.count() and bare.str.contains(GROUPED).any():
        bare = bare.str.replace_all(",", "")
    parts = bare.str.extract_groups(WITH_UNIT)
    behind, plain = parts.struct.field("2"), bare.str.contains(NUMERIC)
    number = bare.filter(plain) if before.count() else parts.struct.field("1").drop_nulls()
    units = (before.drop_nulls() if before.count() else behind.drop_nulls()).unique().to_list()
    fits = plain if before.count() else behind.is_not_null() | plain
    if not fits.all() or not 1 <= len(units) <= 2 or number.n_unique() < QUANTITY:
        return None
    column = mending.quoted(name)
    behind_alone = f"regexp_extract({column}, '[-+]?[0-9.]+')"
    read = f"regexp_replace({column}, '[^-+0-9.]', '', 'g')" if before.count() else behind_alone
    pure = len(units) == 1
    where = "before" if before.count() else "behind"
    return Finding(
        "mixed_types",
        Severity.WARNING,
        f"{name!r} holds numbers with the unit {' and '.join(map(repr, sorted(units)))} written {where}.",
        name,
        "Read it as a number." if pure else "Bring them to one unit, then read it as a number.",
        {"units": sorted(units)},
        {"query": mending.replaced({name: f"TRY_CAST({read} AS DOUBLE)"})} if pure else {},
    )


# --- numbers far beyond all others ------------------------------------------------------------------------


def find_outliers(table: Table) -> Iterator[Finding]:
    for column in (*table.features, *_target(table)):
        if column.type not in ("number", "integer") or table.roles[column.name] is Role.CATEGORICAL:
            continue
        values = table.frame[column.name].drop_nulls().cast(pl.Float64).to_numpy()
        values = values[np.isfinite(values)]
        values = values[~np.isin(values, list(NO_NUMBER))]
        far = _far(values)
        if not len(far):
            continue
        ordinary = values[~np.isin(values, far)]
        low, high = float(ordinary.min()), float(ordinary.max())
        shown = ", ".join(map(_shown, far[:3])) + (", …" if len(far) > 3 else "")
        yield Finding(
            "outliers",
            Severity.WARNING,
            f"{column.name!r} holds {shown}, while all others lie from {_shown(low)} to {_shown(high)}.",
            column.name,
            "Look whether they are slips of the pen; marked as missing they do no harm.",
            {"values": [float(value) for value in far[:20]], "count": len(far), "low": low, "high": high},
            {"query": mending.replaced({column.name: mending.within(column.name, low, high)})},
        )


def _shown(value: float) -> str:
    """No more digits than it needs, and no exponent where it can be read without."""
    return f"{value:,.0f}" if 1e5 <= abs(value) < 1e15 else f"{value:.6g}"


def _far(values: Floats) -> Floats:
    """The few values that are farther from the middle than all others by a wide gap."""
    if len(values) < LEAST_ROWS:
        return values[:0]
    away = np.abs(values - np.median(values))
    order = np.argsort(away)
    away = away[order]
    some = away[away > 0]
    if len(some) < LEAST_ROWS / 2:
        return values[:0]
    typical = float(np.median(some))
    for count in range(1, max(FAR_ROWS, int(FAR_SHARE * len(values))) + 1):
        near, next_ = float(away[-count - 1]), float(away[-count])
        if near <= 0 or next_ < FAR * near:
            continue
        if math.log(next_ / near) >= FAR_IN_LOG * math.log(max(near / typical, 1.0)):
            return np.sort(values[order[-count:]])
    return values[:0]


def _target(table: Table) -> Sequence[Column]:
    column = table.schema.column(table.spec.target)
    return () if column is None else (column,)
