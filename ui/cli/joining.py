"""`flowml token worker`: how another machine joins."""

from __future__ import annotations

import typer

from flowml.runner.embedded import Endpoint, no_door, read_endpoint, renew_token
from flowml.runner.settings import read_settings
from flowml.ui.api.bodies.operate import JoinAnswer
from flowml.ui.cli.asking import show_one


def show_command(new: bool, url: str, as_json: bool) -> None:
    told = _of_studio(url, new) if url else JoinAnswer.of_endpoint(_of_folder(new))
    if as_json:
        show_one(told, (), True)
    else:
        typer.echo(told.command)


def _of_studio(url: str, new: bool) -> JoinAnswer:
    from flowml.ui.client import Studio

    with Studio(url) as studio:
        return studio.join(new)


def _of_folder(new: bool) -> Endpoint:
    """Also while the studio rests. Raises Conflict."""
    home = read_settings().home
    endpoint = renew_token(home) if new else read_endpoint(home)
    if endpoint is None or not endpoint.port:
        raise no_door()
    return endpoint
