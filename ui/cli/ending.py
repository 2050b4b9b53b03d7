"""How a command ends: 0 done, 1 an error that we explain, 2 a wrong call, 130 cancelled with Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from flowml.storage.errors import FlowMLError

EXPLAINED = 1
CANCELLED = 130


@contextmanager
def ended() -> Iterator[None]:
    """One or two lines on stderr for what we can explain; a traceback only for what we cannot."""
    try:
        yield
    except FlowMLError as error:
        typer.secho(f"Error: {error.message}", fg=typer.colors.RED, err=True)
        if error.advice:
            typer.echo(error.advice, err=True)
        raise typer.Exit(EXPLAINED) from None
    except KeyboardInterrupt:
        typer.echo("Cancelled.", err=True)
        raise typer.Exit(CANCELLED) from None
