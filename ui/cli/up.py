"""`flowml up`: the studio, from a terminal."""

from __future__ import annotations

import ipaddress
import threading
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from flowml.runner.settings import Settings, read_settings
from flowml.storage.errors import FlowMLError, NotAllowed

if TYPE_CHECKING:
    from flowml.runner.studio import Studio


def start(
    host: str | None, port: int | None, workers: int | None, data_dir: Path | None, sample: bool, open_: bool
) -> None:
    """What is not given comes from the settings. Returns when the studio was told to stop."""
    given: dict[str, Any] = {
        "host": host,
        "port": port,
        "workers": workers,
        "home": data_dir.expanduser().absolute() if data_dir else None,
    }
    settings = replace(read_settings(), **{name: value for name, value in given.items() if value is not None})
    refuse_strangers(settings)
    from flowml.ui.server import serve  # loads the web server

    def ready(studio: Studio, address: str) -> None:
        _greet(settings, address)
        if sample:  # beside the server, which answers meanwhile
            threading.Thread(target=_add_samples, args=(studio,), name="samples", daemon=True).start()
        if open_:
            webbrowser.open(address)

    serve(settings, settings.host, settings.port, ready)


def _add_samples(studio: Studio) -> None:
    try:
        names = [dataset.name for dataset in studio.add_samples()]
    except FlowMLError as error:
        typer.echo(f"The sample tables were not added. {error}", err=True)
    else:
        typer.echo(f"Sample tables: {', '.join(names)}.")


def refuse_strangers(settings: Settings) -> None:
    """Without logins nobody but this machine may reach the studio."""
    if settings.host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise NotAllowed(
            f"The studio has no logins yet, so it listens only on this machine, not on {settings.host}.",
            "Leave out --host and FLOWML_HOST; reach it from elsewhere by "
            f"`ssh -L {settings.port}:127.0.0.1:{settings.port} HOST`.",
        )


def _greet(settings: Settings, address: str) -> None:
    typer.echo(f"FlowML Studio is at {typer.style(address, bold=True)}")
    typer.echo(f"Data: {settings.home}. Ctrl-C stops it; nothing is lost.")
    for name in settings.idle():
        typer.echo(f"{name} is set, but nothing reads it in this version.", err=True)
