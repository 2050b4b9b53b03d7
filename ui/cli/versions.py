"""`--version` of both programs."""

from __future__ import annotations

from typing import Annotated

import typer

from flowml.storage.version import VERSION


def say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"FlowML Studio {VERSION}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=say_version, is_eager=True, help="Say which version this is."),
]


def program(version: Version = False) -> None:
    """What both programs understand before a command."""
