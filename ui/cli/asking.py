"""How commands ask a running studio, and show what it answers: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from flowml.storage.shown import harmless
from flowml.ui.cli.ending import ended

if TYPE_CHECKING:
    from pydantic import BaseModel

    from flowml.ui.client import Studio

T = TypeVar("T")

StudioUrl = Annotated[
    str, typer.Option("--studio", help="Its address; else FLOWML_STUDIO_URL, else the one of this machine.")
]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

WHOLE = 32  # letters of an id that a narrow terminal does not break
Column = tuple[str, Callable[[Any], str]]  # heading, and what stands below it


@contextmanager
def asking(url: str) -> Iterator[Studio]:
    """The studio; what it refuses ends the command with one clear message."""
    with ended():
        from flowml.ui.client import Studio

        with Studio(url) as studio:
            yield studio


def show(
    items: Sequence[Any], columns: Sequence[Column], as_json: bool, nothing: str = "Nothing yet."
) -> None:
    """One line each. As JSON, a list of objects."""
    if as_json:
        typer.echo(json.dumps([plain(item) for item in items], ensure_ascii=False))
        return
    if not items:
        typer.echo(nothing)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading, text in columns:
        widest = max(len(text(item)) for item in items) if heading == "ID" else 0
        table.add_column(harmless(heading), overflow="fold", min_width=min(widest, WHOLE) or None)
    for item in items:
        table.add_row(*(Text(harmless(text(item))) for _, text in columns))
    Console(width=None if Console().is_terminal else 10_000).print(table)


def show_one(item: Any, columns: Sequence[Column], as_json: bool) -> None:
    """One thing, a line for each of its facts. As JSON, one object."""
    if as_json:
        typer.echo(json.dumps(plain(item), ensure_ascii=False))
        return
    width = max(len(heading) for heading, _ in columns)
    for heading, text in columns:
        typer.echo(f"{typer.style(heading.ljust(width), dim=True)}  {harmless(text(item))}")


def done(words: str, as_json: bool, **told: object) -> None:
    """What a command did: in words, or as one JSON object."""
    typer.echo(json.dumps(told, ensure_ascii=False) if as_json else harmless(words))


def saved(file: Path, as_json: bool) -> None:
    """Says which file a command wrote, and how large it is."""
    size = file.stat().st_size
    done(f"Written to {file} ({space(size)}).", as_json, out=str(file), size=size)


def space(size: float) -> str:
    """So many bytes as people read them."""
    from flowml.ui import words

    return words.size(size)


def sure(question: str, yes: bool) -> None:
    """Ends the command unless the user agrees."""
    if not yes:
        typer.confirm(question, abort=True)


def plain(item: Any) -> Any:
    """A body or a record as plain JSON."""
    if hasattr(item, "model_dump"):
        body: BaseModel = item
        return body.model_dump(mode="json", by_alias=True)
    return item.to_dict() if hasattr(item, "to_dict") else item


def moment(at: float | None) -> str:
    """A time as people write it, in the zone of this machine."""
    from datetime import datetime

    return "" if at is None else datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")
