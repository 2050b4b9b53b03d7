"""`flowml up`: the studio, from a terminal."""

from __future__ import annotations

import threading
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from flowml.runner.addresses import is_loopback
from flowml.runner.entrance import is_reachable
from flowml.runner.joining import join_command
from flowml.runner.settings import Settings, read_settings
from flowml.storage.errors import FlowMLError

if TYPE_CHECKING:
    from flowml.runner.studio import Studio


def start(
    host: str | None,
    port: int | None,
    workers: int | None,
    data_dir: Path | None,
    sample: bool,
    open_: bool,
    first_admin: bool = False,
    mode: str | None = None,
) -> None:
    """What is not given comes from the settings. Returns when the studio was told to stop."""
    given: dict[str, Any] = {
        "host": host,
        "port": port,
        "workers": workers,
        "home": data_dir.expanduser().absolute() if data_dir else None,
        "cluster_mode": mode,
    }
    settings = replace(read_settings(), **{name: value for name, value in given.items() if value is not None})
    if settings.cluster_mode != "local" and host is None and is_loopback(settings.host):
        settings = replace(settings, host="0.0.0.0")  # workers fetch tables from here
    from flowml.ui.server import serve  # loads the web server

    def ready(studio: Studio, address: str) -> None:
        _greet(settings, address)
        if studio.endpoint is not None:
            typer.echo(f"Other machines join as workers with:\n  {join_command(studio.endpoint)}")
        if first_admin and not studio.entrance.anybody:
            code = typer.style(studio.entrance.first_code(), bold=True)
            typer.echo(
                f"Nobody has a login yet. Make the first at {address}/login/first with the code {code}"
            )
        if sample:  # beside the server, which answers meanwhile
            threading.Thread(target=_add_samples, args=(studio,), name="samples", daemon=True).start()
        if open_:
            webbrowser.open(address)

    serve(settings, settings.host, settings.port, ready, first_admin=first_admin)


def _add_samples(studio: Studio) -> None:
    try:
        names = [dataset.name for dataset in studio.add_samples()]
    except FlowMLError as error:
        typer.echo(f"The sample tables were not added. {error}", err=True)
    else:
        typer.echo(f"Sample tables: {', '.join(names)}.")


def _greet(settings: Settings, address: str) -> None:
    typer.echo(f"FlowML Studio is at {typer.style(address, bold=True)}")
    typer.echo(f"Data: {settings.home}. Ctrl-C stops it; nothing is lost.")
    if is_reachable(settings) and not settings.tls_cert and not settings.hosts:
        typer.echo("Passwords travel in the clear: set FLOWML_TLS_CERT and FLOWML_TLS_KEY.", err=True)
    for name in settings.idle():
        typer.echo(f"{name} is set, but nothing reads it in this version.", err=True)
