"""Log lines, oldest first, each with its level; the view stays at the end while the reader is there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flowml.storage.records import Json, LogLine
from flowml.ui.components import clock, frontend

_render = frontend.load("log")

TAIL = 200


def tail(entries: Sequence[LogLine], key: str, height: int = 260) -> None:
    """The last lines of one job."""
    _show(entries[-TAIL:], key, "Log of this job", height, sources=False)


def page(entries: Sequence[LogLine], key: str, height: int = 600) -> None:
    """Lines of all machines, with where they come from."""
    _show(entries, key, "Log lines", height, sources=True)


def as_text(entries: Sequence[LogLine]) -> str:
    return "".join(
        f"{clock.stamp(entry.at)} {entry.level.value.upper()} {entry.source} {entry.job_id} {entry.message}\n"
        for entry in entries
    )


def _show(entries: Sequence[LogLine], key: str, title: str, height: int, *, sources: bool) -> None:
    zone = clock.zone()
    today = datetime.now(zone).date()
    lines: list[Json] = []
    for entry in entries:
        at = datetime.fromtimestamp(entry.at, zone)
        lines.append(
            {
                "at": at.strftime("%H:%M:%S" if at.date() == today else "%-d %b %H:%M:%S"),
                "moment": at.isoformat(sep=" ", timespec="milliseconds"),
                "level": entry.level.value,
                "source": entry.source,
                "message": entry.message,
            }
        )
    _render(
        key=f"log-{key}",
        data={
            "lines": lines,
            "title": title,
            "height": height,
            "sources": sources,
            "none": "Nothing said yet.",
        },
    )
