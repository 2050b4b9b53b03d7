"""The drop zone: streams files to the REST API with progress, and says in words what went wrong."""

from __future__ import annotations

from dataclasses import dataclass

from flowml.storage.formats import FORMATS, wrapped
from flowml.ui import words
from flowml.ui.components import frontend

_render = frontend.load("upload")

URL = "/api"
KINDS = "CSV, Excel, Parquet, JSON, SQLite and many more, also packed"


@dataclass(frozen=True)
class Uploaded:
    id: str
    name: str
    alone: bool  # not one of several files that were chosen together


def drop_zone(limit: int, key: str = "upload") -> Uploaded | None:
    """What has been uploaded, in the one run after each upload; None in all others."""
    suffixes = [*(suffix for row in FORMATS for suffix in row.suffixes), *wrapped.SUFFIXES]
    answer = _render(
        key=key,
        data={
            "title": "Drop a table here, or choose a file",
            "hint": f"{KINDS} · up to {words.size(limit)} · it stays on this machine",
            "url": URL,
            "accept": ",".join(suffixes),
            "limit": limit,
        },
        on_uploaded_change=_noted,
    )
    told = answer.uploaded
    return Uploaded(**told) if isinstance(told, dict) else None


def _noted() -> None:
    """A trigger reaches Python only where a callback is named; the value itself is read above."""
