"""Axes of a chart that is drawn without a script: from values to places between 0 and 1, and their ticks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flowml.storage.records import Json
from flowml.ui.charts.parallel import is_number

TICKS = 5
AIR = 0.04  # of the span, beyond the outermost values


@dataclass(frozen=True)
class Scale:
    """`place` takes a value of the axis to 0 … 1; `step` is what one name takes of it, 0 for numbers."""

    title: str
    place: Callable[[Any], float]
    ticks: tuple[tuple[Any, str], ...]
    step: float = 0.0


def of_names(axis: Json, values: Iterable[Any]) -> Scale:
    """Names in the order in which they come."""
    names = list(dict.fromkeys(map(str, values)))
    known = {name: (i + 0.5) / len(names) for i, name in enumerate(names)}
    short = dict(zip(map(str, axis.get("tickvals", ())), axis.get("ticktext", ()), strict=False))
    turned = axis.get("autorange") == "reversed"
    return Scale(
        _title(axis),
        lambda value: 1 - known[str(value)] if turned else known[str(value)],
        tuple((name, str(short.get(name, name))) for name in names),
        1 / max(1, len(names)),
    )


def of_numbers(axis: Json, values: Sequence[float], *, from_zero: bool = False) -> Scale:
    """From the smallest to the largest, or as the axis asks; `from_zero` where bars stand on it."""
    by_logarithm = axis.get("type") == "log" and all(value > 0 for value in values)
    low, high = _span(axis, [math.log10(v) for v in values] if by_logarithm else values, from_zero)
    turned = axis.get("autorange") == "reversed"

    def place(value: Any) -> float:
        at = (math.log10(value) if by_logarithm else value) - low
        return 1 - at / (high - low) if turned else at / (high - low)

    return Scale(_title(axis), place, _ticks(axis, low, high, by_logarithm))


def _title(axis: Json) -> str:
    return str(axis.get("title", {}).get("text", ""))


def _span(axis: Json, values: Sequence[float], from_zero: bool) -> tuple[float, float]:
    if axis.get("range"):
        low, high = map(float, axis["range"])
        return (low, high) if high > low else (low - 0.5, low + 0.5)
    from_zero = from_zero or axis.get("rangemode") == "tozero"
    low, high = min(values, default=0.0), max(values, default=1.0)
    low, high = (min(low, 0.0), max(high, 0.0)) if from_zero else (low, high)
    air = (high - low) * AIR or 0.5
    return (low - air * (not from_zero or low < 0), high + air * (not from_zero or high > 0))


def _ticks(axis: Json, low: float, high: float, by_logarithm: bool) -> tuple[tuple[float, str], ...]:
    if "tickvals" in axis:
        texts = axis.get("ticktext") or [number(value) for value in axis["tickvals"]]
        return tuple(zip(axis["tickvals"], map(str, texts), strict=False))
    shares = str(axis.get("tickformat", "")).endswith("%")
    found = _round_numbers(low, high)
    if by_logarithm:
        return tuple((10.0**at, number(10.0**at)) for at in found)
    return tuple((at, f"{at * 100:.0f} %" if shares else number(at)) for at in found)


def _round_numbers(low: float, high: float) -> list[float]:
    raw = (high - low) / TICKS
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * each for each in (1, 2, 2.5, 5, 10) if size * each >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return [round((first + i) * step, 12) for i in range(count)]


def number(value: float) -> str:
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:,.4g} M" if size < 1e9 else f"{value:.3g}"
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def numbers_of(values: Iterable[Any]) -> list[float]:
    return [float(value) for value in values if is_number(value) and math.isfinite(value)]
