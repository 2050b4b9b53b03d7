"""`flowml token worker`: how another machine joins."""

from __future__ import annotations

import json

import typer

from flowml.runner.embedded import no_door, read_endpoint, renew_token
from flowml.runner.joining import join_command
from flowml.runner.settings import read_settings


def show_command(new: bool, as_json: bool) -> None:
    home = read_settings().home
    endpoint = renew_token(home) if new else read_endpoint(home)
    if endpoint is None or not endpoint.port:
        raise no_door()
    if as_json:
        told = {"command": join_command(endpoint), "host": endpoint.host, "port": endpoint.port}
        typer.echo(json.dumps({**told, "token": endpoint.worker_password}))
        return
    typer.echo(join_command(endpoint))
