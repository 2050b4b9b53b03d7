"""`flowml backup` and `flowml restore`."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import typer

from flowml.runner import backups, storekeeping
from flowml.runner.notes import read_note
from flowml.runner.settings import read_settings
from flowml.storage.errors import Conflict, NotFound
from flowml.ui.cli.asking import done, saved


def back_up(out: Path, url: str, force: bool, as_json: bool) -> None:
    """Asks the studio that runs, or reads the data folder where none does."""
    if out.exists() and not force:
        raise Conflict(f"{out} exists.", "Choose another name, or add --force.")
    settings = read_settings()
    if url or settings.studio_url or read_note(settings.home) is not None:
        from flowml.ui.client import Studio

        with Studio(url) as studio:
            studio.backup(out)
    else:
        storekeeping.back_up(settings, out)
    saved(out, as_json)


def bring_back(backup: Path, data_dir: Path | None, as_json: bool) -> None:
    if not backup.is_file():
        raise NotFound(f"There is no file {backup}.", "Check the path.")
    settings = read_settings()
    if data_dir is not None:
        settings = replace(settings, home=data_dir.expanduser().absolute())
    with backup.open("rb") as file:
        about = backups.restore(file, settings)
    for sha256 in about.missing:
        typer.echo(f"A file was deleted while the backup was made: {sha256}", err=True)
    command = f"flowml up --data-dir {shlex.quote(str(settings.home))}"
    done(
        f"Restored {about.artifacts} files into {settings.home}. Start it with `{command}`.",
        as_json,
        home=str(settings.home),
        artifacts=about.artifacts,
        missing=list(about.missing),
    )
