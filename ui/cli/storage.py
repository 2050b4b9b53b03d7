"""`flowml storage`: what an administrator looks after: the room that files take, garbage, a move."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from flowml.ui.cli.asking import Column, Json, StudioUrl, asking, show, show_one
from flowml.ui.cli.ending import ended

app = typer.Typer(
    help="The files of models and tables: how much room they take, what nothing needs, a move.",
    no_args_is_help=True,
)
SHELVES: tuple[Column, ...] = (
    ("WHAT", lambda s: s.name),
    ("FILES", lambda s: f"{s.files:,}"),
    ("SIZE", lambda s: _size(s.size)),
    ("WHERE", lambda s: s.place),
)


@app.command("show")
def show_(studio: StudioUrl = "", as_json: Json = False) -> None:
    """Show what a studio keeps, where, and how much of it. For administrators."""
    with asking(studio) as asked:
        room = asked.storage()
        if as_json:
            show_one(room, (), True)
            return
        show(room.shelves, SHELVES, False)
        typer.echo(f"{_size(room.used)} kept; {_size(room.free)} of {_size(room.total)} free on the disk.")


def _size(count: int) -> str:
    from flowml.ui import words

    return words.size(count)


@app.command()
def gc(
    older: Annotated[str, typer.Option(help="Only what is older: 24h, 7d, 0s.")] = "24h",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    as_json: Json = False,
) -> None:
    """Remove the files that no dataset, job or model refers to any more. The studio must rest."""
    from flowml.runner import storekeeping
    from flowml.runner.settings import read_settings
    from flowml.ui import words

    with ended():
        done = storekeeping.collect(read_settings(), _seconds(older), dry_run)
    if as_json:
        typer.echo(json.dumps({**vars(done), "dry_run": dry_run}))
        return
    verb = "would be removed" if dry_run else "removed"
    typer.echo(f"{words.plural(done.removed, 'file')} {verb} ({words.size(done.freed)}), {done.kept:,} kept.")


@app.command()
def move(
    to: Annotated[str, typer.Option(help="The other store: s3://BUCKET/PREFIX or a folder.")],
    as_json: Json = False,
) -> None:
    """Copy all files to another store, each checked by its hash. Those here stay. The studio must rest."""
    from flowml.runner import storekeeping
    from flowml.runner.settings import read_settings
    from flowml.ui import words

    url = str(Path(to).resolve()) if "://" not in to else to
    with ended():
        done = storekeeping.move(read_settings(), url, lambda at, of: _tell(at, of, as_json))
    if as_json:
        typer.echo(json.dumps({**vars(done), "url": url}))
        return
    copied = f"{words.plural(done.copied, 'file')} copied ({words.size(done.size)})"
    typer.echo(f"{copied}, {done.already:,} were there. Set FLOWML_ARTIFACTS_URL={url} and start the studio.")


def _tell(done: int, of: int, as_json: bool) -> None:
    if not as_json and (done % 100 == 0 or done == of):
        typer.echo(f"{done:,} of {of:,}", err=True)


def _seconds(text: str) -> float:
    from flowml.runner.kinds import duration

    try:
        return duration(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time; expected 24h, 30m or 0s.", param_hint="--older"
        ) from None
