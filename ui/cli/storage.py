"""`flowml storage`: what an administrator does with the files of a studio that rests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from flowml.ui.cli.ending import ended

app = typer.Typer(help="Keep the files of models and tables: remove what nothing needs, or move all.")

Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


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
