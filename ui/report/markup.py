"""Pieces of HTML. Whatever comes from a table, a name or a message is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flowml.ui.report.intervals import Interval
from flowml.ui.report.svg import escaped
from flowml.ui.words import MISSING, score

Cells = Sequence[object]


def paragraph(text: object, kind: str = "") -> str:
    shown = f' class="{kind}"' if kind else ""
    return f"<p{shown}>{escaped(text)}</p>"


def subtitle(text: object) -> str:
    return f"<h3>{escaped(text)}</h3>"


def bullets(texts: Iterable[object]) -> str:
    lines = [f"<li>{escaped(text)}</li>" for text in texts]
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def table(head: Cells, rows: Iterable[Cells], numbers: Sequence[int] = ()) -> str:
    """`numbers` are the places of columns that are set to the right. Empty without rows."""
    body = "".join(f"<tr>{_cells('td', row, numbers)}</tr>" for row in rows)
    if not body:
        return ""
    return f"<table><thead><tr>{_cells('th', head, numbers)}</tr></thead><tbody>{body}</tbody></table>"


def pairs(facts: Iterable[tuple[object, object]]) -> str:
    """Names and what they are; those without a value are left out."""
    lines = [
        f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>"
        for name, value in facts
        if value not in ("", None)
    ]
    return f"<dl>{''.join(lines)}</dl>" if lines else ""


def code(text: object) -> str:
    return f"<pre>{escaped(text)}</pre>"


def two(charts: Sequence[str]) -> str:
    """Charts side by side where the paper is wide enough."""
    return f'<div class="charts">{"".join(charts)}</div>' if charts else ""


def between(interval: Interval | None) -> str:
    return MISSING if interval is None else f"{score(interval[0])} to {score(interval[1])}"


def _cells(kind: str, cells: Cells, numbers: Sequence[int]) -> str:
    return "".join(
        f"<{kind}{' class=number' if place in numbers else ''}>{escaped(cell)}</{kind}>"
        for place, cell in enumerate(cells)
    )
