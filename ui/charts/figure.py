"""The shape of every chart: a title, a text for those who cannot see it, named axes, traces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

from flowml.storage.records import Json, Record
from flowml.ui import words


@dataclass(frozen=True)
class Chart(Record):
    title: str
    alt: str  # says in words what the chart shows
    traces: tuple[Json, ...]
    layout: Json = field(default_factory=dict)
    height: int = 300
    note: str = ""  # one line below the title
    more: tuple[str, ...] = ()  # names of the customdata of the traces, for the download
    table: Json = field(default_factory=dict)  # columns, rows: to download in place of the traces

    def __post_init__(self) -> None:
        """Raises ValueError where a reader would miss something."""
        missing = [name for name in ("title", "alt") if not getattr(self, name).strip()]
        axes = {"xaxis", "yaxis", *(name for name in self.layout if _AXIS.fullmatch(name))}
        missing += [f"{name} title" for name in sorted(axes) if not _title(self.layout.get(name))]
        if missing:
            raise ValueError(f"The chart {self.title!r} has no {', '.join(missing)}; every chart has them.")


_AXIS = re.compile(r"[xy]axis\d*")


def _title(axis: Json | None) -> str:
    title = (axis or {}).get("title")  # plotly draws no title that is a plain string
    return str(title.get("text", "")) if isinstance(title, dict) else ""


def label(name: object, limit: int = 40) -> str:
    """A name as plotly shows it: cut to `limit`, and no tag in it is one."""
    return words.short(name, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def lines(name: object, width: int, most: int) -> list[str]:
    """A name in lines of at most `width` characters, cut where it needs more than `most` of them."""
    return wrap(str(name), width, max_lines=most, placeholder="…") or [""]


def names_axis(title: str, names: Sequence[str], limit: int = 28, most: int = 1, **more: Any) -> Json:
    """An axis of names: the whole name is the category, at the tick stand at most `most` lines of it.

    What is too long for one line is cut in the middle, for more lines at the end.
    """
    told = [[words.middle(name, limit)] if most == 1 else lines(name, limit, most) for name in names]
    return axis(
        title,
        type="category",
        tickmode="array",
        tickvals=[label(name, 10_000) for name in names],
        ticktext=["<br>".join(label(line) for line in each) for each in told],
        **more,
    )


def counts_axis(title: str, most: float) -> Json:
    """An axis of whole numbers up to `most`, without ticks between two of them."""
    steps = {"dtick": 1} if most <= 5 else {"nticks": 6}
    return axis(title, rangemode="tozero", tickformat=",d", **steps)


def axis(title: str, **more: Any) -> Json:
    """An axis with its name, quiet grid and no zero line."""
    return {
        "title": {"text": title, "standoff": 8, "font": {"size": 12, "color": "@muted"}},
        "gridcolor": "@grid",
        "zeroline": False,
        "linecolor": "@grid",
        "tickfont": {"size": 11, "color": "@muted"},
        "automargin": True,
        "separatethousands": True,
        **more,
    }


def layout(x: Json, y: Json, **more: Any) -> Json:
    return {
        "xaxis": x,
        "yaxis": y,
        "margin": {"l": 48, "r": 12, "t": 8, "b": 40},
        "hovermode": "closest",
        "showlegend": False,
        **more,
    }


LEGEND_ABOVE: Json = {
    "orientation": "h",
    "x": 0,
    "xanchor": "left",
    "y": 1.02,
    "yanchor": "bottom",
    "font": {"size": 11, "color": "@text"},
    "itemsizing": "constant",
    "maxheight": 0.75,  # of the chart: on narrow screens names stand below each other
}
