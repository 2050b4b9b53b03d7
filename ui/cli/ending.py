"""How a command ends: 0 done, 1 an error that we explain, 2 a wrong call, 130 cancelled with Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from flowml.storage.errors import FlowMLError
from flowml.storage.shown import harmless
from flowml.ui.remote import PART

EXPLAINED = 1
CANCELLED = 130


@contextmanager
def ended() -> Iterator[None]:
    """One or two lines on stderr for what we can explain; a traceback only for what we cannot."""
    try:
        yield
    except FlowMLError as error:
        typer.secho(harmless(f"Error: {error.message}"), fg=typer.colors.RED, err=True)
        if error.advice:
            typer.echo(harmless(error.advice), err=True)
        raise typer.Exit(EXPLAINED) from None
    except OSError as error:
        if error.filename is None:
            raise  # not about a file that somebody named
        file = str(error.filename2 or error.filename).removesuffix(PART)
        typer.secho(f"Error: {file}: {error.strerror}.", fg=typer.colors.RED, err=True)
        typer.echo("Check the path, who may read and write there, and the room on the disk.", err=True)
        raise typer.Exit(EXPLAINED) from None
    except KeyboardInterrupt:
        typer.echo("Cancelled.", err=True)
        raise typer.Exit(CANCELLED) from None
