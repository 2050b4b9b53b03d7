"""Charts as SVG, for papers that no script draws: lines, points, bars and heat maps, as the screen has them.

Colours are the variables of the paper's style sheet, so that it can be light, dark and printed.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flowml.storage.records import Json
from flowml.ui.charts.figure import Chart
from flowml.ui.charts.parallel import is_number
from flowml.ui.report.scale import Scale, number, numbers_of, of_names, of_numbers

WIDTH = 640
HALF = 440  # of two side by side: their words are as large as those of one alone
LETTER = 6.7  # of a tick, in pixels
TOP, RIGHT, BOTTOM = 10.0, 16.0, 46.0
LEGEND = 20.0  # of a line of it
DASHES = {"dot": "2 3", "dash": "5 4"}
BAR, GAP = 0.68, 2.0


@dataclass(frozen=True)
class _Plot:
    x: Scale
    y: Scale
    left: float
    top: float
    right: float
    bottom: float

    def across(self, value: Any) -> float:
        return self.left + self.x.place(value) * (self.right - self.left)

    def up(self, value: Any) -> float:
        return self.bottom - self.y.place(value) * (self.bottom - self.top)


def drawn(chart: Chart, width: int = WIDTH) -> str:
    """A figure with its title, its note and a text for those who cannot see it."""
    legend = _legend(chart, width)
    height = max(chart.height, 150) + LEGEND * len(legend)
    plot = _plot(chart, width, height, TOP + LEGEND * len(legend))
    marks = (mark for place, trace in enumerate(chart.traces) for mark in _trace(plot, trace, place))
    parts = [
        *_frame(plot),
        *_shapes(chart, plot),
        _clipped(plot, marks),
        *(mark for line in legend for mark in line),
    ]
    note = f'<p class="note">{escaped(chart.note)}</p>' if chart.note else ""
    return (
        f'<figure><figcaption>{escaped(chart.title)}</figcaption>{note}<svg viewBox="0 0 {width} {height:g}" '
        f'role="img" aria-label="{escaped(chart.alt)}">{"".join(parts)}</svg></figure>'
    )


def escaped(text: object) -> str:
    return html.escape(str(text))


def _shown(name: object) -> str:
    """A name that charts have escaped already."""
    return html.escape(html.unescape(str(name)))


# --- axes -------------------------------------------------------------------------------------------------


def _plot(chart: Chart, width: int, height: float, top: float) -> _Plot:
    lying = any(trace.get("orientation") == "h" for trace in chart.traces)
    bars = any(trace["type"] == "bar" for trace in chart.traces)
    x = _scale(chart, "x", from_zero=bars and lying)
    y = _scale(chart, "y", from_zero=bars and not lying)
    widest = max((len(text) for _, text in y.ticks), default=1) * LETTER
    left = min(width * 0.45, widest + (24 if y.title else 0) + 14)
    return _Plot(x, y, left, top, width - RIGHT, height - BOTTOM)


def _scale(chart: Chart, which: str, *, from_zero: bool) -> Scale:
    axis = chart.layout.get(f"{which}axis", {})
    values = [value for trace in chart.traces for value in trace.get(which, ())]
    words = any(not is_number(value) for value in values if value is not None)
    if axis.get("type") == "category" or words:
        return of_names(axis, (value for value in values if value is not None))
    return of_numbers(axis, [*numbers_of(values), *_around(chart.traces, which)], from_zero=from_zero)


def _around(traces: Sequence[Json], which: str) -> Iterable[float]:
    """How far bars and their spreads reach."""
    for trace in traces:
        values = trace.get(which, ())
        if which == "x" and "width" in trace and isinstance(trace["width"], list):
            for value, width in zip(values, trace["width"], strict=True):
                yield from (value - width / 2, value + width / 2)
        spread = trace.get(f"error_{which}", {}).get("array") or ()
        for value, more in zip(values, spread, strict=False):
            yield from (value - more, value + more)


def _frame(plot: _Plot) -> Iterable[str]:
    for value, text in plot.x.ticks:
        at = plot.across(value)
        if plot.left - 1 <= at <= plot.right + 1:
            if not plot.x.step:
                yield _line(at, plot.top, at, plot.bottom, "grid")
            yield from _tick_below(plot, at, text)
    for value, text in plot.y.ticks:
        at = plot.up(value)
        if plot.top - 1 <= at <= plot.bottom + 1:
            if not plot.y.step:
                yield _line(plot.left, at, plot.right, at, "grid")
            yield _text(plot.left - 7, at + 3.5, text, "tick", "end")
    yield _text((plot.left + plot.right) / 2, plot.bottom + 38, plot.x.title, "axis", "middle")
    middle = (plot.top + plot.bottom) / 2
    yield (
        f'<text class="axis" text-anchor="middle" transform="translate(13 {middle:.1f}) rotate(-90)">'
        f"{_shown(plot.y.title)}</text>"
    )


def _tick_below(plot: _Plot, at: float, text: str) -> Iterable[str]:
    """Only as much of a name as there is room for."""
    room = plot.x.step * (plot.right - plot.left) or 90.0
    most = max(1, int(room / LETTER))
    plain = text if len(text) <= most else text[: most - 1] + "…"
    yield _text(at, plot.bottom + 17, plain, "tick", "middle")


def _shapes(chart: Chart, plot: _Plot) -> Iterable[str]:
    for shape in chart.layout.get("shapes", ()):
        if shape.get("type") == "line" and shape.get("x0") == shape.get("x1") and not plot.x.step:
            at = plot.across(shape["x0"])
            yield _line(at, plot.top, at, plot.bottom, "mark")


def _clipped(plot: _Plot, marks: Iterable[str]) -> str:
    """What lies beyond the axes is not seen."""
    x, y, wide, high = plot.left - 4, plot.top - 4, plot.right - plot.left + 8, plot.bottom - plot.top + 8
    box = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"'
    return f'<svg {box} viewBox="{x:.1f} {y:.1f} {wide:.1f} {high:.1f}">{"".join(marks)}</svg>'


# --- traces -----------------------------------------------------------------------------------------------


def _trace(plot: _Plot, trace: Json, place: int) -> Iterable[str]:
    match trace["type"]:
        case "heatmap":
            return _cells(plot, trace)
        case "bar":
            return _bars(plot, trace, place)
        case _:
            return _curve(plot, trace, place)


def _curve(plot: _Plot, trace: Json, place: int) -> Iterable[str]:
    pairs = zip(trace.get("x", ()), trace.get("y", ()), strict=False)
    points = [(plot.across(x), plot.up(y)) for x, y in pairs if x is not None and y is not None]
    mode, line, marker = trace.get("mode", "lines"), trace.get("line", {}), trace.get("marker", {})
    if "lines" in mode and points:
        if line.get("shape") == "hv":
            points = [each for a, b in pairwise(points) for each in (a, (b[0], a[1]))] + points[-1:]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dash = DASHES.get(line.get("dash", ""), "")
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        width = float(line.get("width", 2))
        colour = _colour(line.get("color"), place)
        yield f'<polyline points="{path}" style="fill:none;stroke:{colour};stroke-width:{width:g}"{dashed}/>'
    if "markers" in mode:
        colours, size = marker.get("color"), marker.get("size", 6)
        for i, (x, y) in enumerate(points):
            colour = _colour(colours[i] if isinstance(colours, list) else colours, place)
            radius = float(size[i] if isinstance(size, list) else size) / 2
            opacity = marker.get("opacity", 1)
            seen = opacity[i] if isinstance(opacity, list) else opacity
            yield _point(x, y, radius, colour, seen)


def _bars(plot: _Plot, trace: Json, place: int) -> Iterable[str]:
    lying = trace.get("orientation") == "h"
    colours = trace.get("marker", {}).get("color")
    spread = trace.get("error_x" if lying else "error_y", {}).get("array") or []
    widths = trace.get("width")
    for i, (x, y) in enumerate(zip(trace["x"], trace["y"], strict=True)):
        if x is None or y is None:
            continue
        colour = _colour(colours[i] if isinstance(colours, list) else colours, place)
        if lying:
            thick = plot.y.step * (plot.bottom - plot.top) * BAR
            start, end, middle = plot.across(0), plot.across(x), plot.up(y)
            yield _box(min(start, end), middle - thick / 2, abs(end - start), thick, colour)
            if i < len(spread):
                yield _line(plot.across(x - spread[i]), middle, plot.across(x + spread[i]), middle, "spread")
            continue
        wide = plot.x.step * (plot.right - plot.left) * BAR
        if isinstance(widths, list):
            wide = abs(plot.across(x + widths[i] / 2) - plot.across(x - widths[i] / 2)) - 1
        start, end = plot.up(0), plot.up(y)
        yield _box(plot.across(x) - wide / 2, min(start, end), wide, abs(end - start), colour)


def _cells(plot: _Plot, trace: Json) -> Iterable[str]:
    """Each cell as strong as its share of its row, with its number where there is room."""
    wide = plot.x.step * (plot.right - plot.left) - GAP
    high = plot.y.step * (plot.bottom - plot.top) - GAP
    for name, line in zip(trace["y"], trace["z"], strict=True):
        whole = sum(line) or 1
        for column, count in zip(trace["x"], line, strict=True):
            x, y, share = plot.across(column), plot.up(name), count / whole
            yield (
                f'<rect x="{x - wide / 2:.1f}" y="{y - high / 2:.1f}" width="{wide:.1f}" height="{high:.1f}" '
                f'style="fill:var(--primary);fill-opacity:{0.04 + 0.9 * share:.2f}"/>'
            )
            if trace.get("texttemplate") and wide > 26:
                yield _text(x, y + 4, number(count), "cell strong" if share > 0.55 else "cell", "middle")


# --- marks ------------------------------------------------------------------------------------------------


def _legend(chart: Chart, width: int) -> list[list[str]]:
    """Lines of it, each a list of marks."""
    if not chart.layout.get("showlegend"):
        return []
    lines: list[list[str]] = [[]]
    at = 8.0
    for place, trace in enumerate(chart.traces):
        if trace.get("showlegend") is False or not trace.get("name"):
            continue
        wide = 22 + LETTER * len(str(trace["name"])) + 14
        if at + wide > width and lines[-1]:
            lines.append([])
            at = 8.0
        high = 12 + LEGEND * (len(lines) - 1)
        painted = trace.get("line", {}).get("color") or trace.get("marker", {}).get("color")
        colour = _colour(painted if isinstance(painted, str) else None, place)
        lines[-1] += [_box(at, high - 8, 12, 8, colour), _text(at + 18, high, trace["name"], "tick", "start")]
        at += wide
    return [line for line in lines if line]


def _colour(name: object, place: int) -> str:
    """A variable of the style sheet; only names of the palette are taken, whatever stands there."""
    known = str(name or "")
    word = known[1:] if known.startswith("@") and known[1:].isalnum() else str(place % 10)
    return f"var(--c{word})" if word.isdecimal() else f"var(--{word})"


def _line(x0: float, y0: float, x1: float, y1: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}"/>'


def _box(x: float, y: float, wide: float, high: float, colour: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.5, wide):.1f}" height="{high:.1f}" '
        f'style="fill:{colour}"/>'
    )


def _point(x: float, y: float, radius: float, colour: str, opacity: float) -> str:
    style = f"fill:{colour};fill-opacity:{opacity:g}"
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" style="{style}"/>'


def _text(x: float, y: float, text: object, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_shown(text)}</text>'
