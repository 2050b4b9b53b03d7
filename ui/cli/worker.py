"""The command line of a worker: `flowml-worker`."""

from __future__ import annotations

from typing import Annotated

import typer

from flowml.ui.cli.ending import ended
from flowml.ui.cli.versions import program

app = typer.Typer(
    name="flowml-worker",
    help="A worker of FlowML Studio: gives this machine to its jobs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.callback(help=app.info.help)(program)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def start(
    redis: Annotated[
        str, typer.Option(help="The studio's Redis; else FLOWML_REDIS_URL, else the local one.")
    ] = "",
    token: Annotated[
        str, typer.Option(help="What to join another machine's studio with; better as FLOWML_WORKER_TOKEN.")
    ] = "",
    studio: Annotated[str, typer.Option(help="Address of the studio's files; else as it says itself.")] = "",
    name: Annotated[str, typer.Option(help="The worker's name; else one after this machine.")] = "",
    queues: Annotated[str, typer.Option(help="Serve only these, with commas between.")] = "",
    slots: Annotated[int | None, typer.Option(min=1, help="Trials side by side.")] = None,
    cores: Annotated[int | None, typer.Option(min=1, help="Cores to use; all without it.")] = None,
    max_memory: Annotated[str, typer.Option(help="Memory that trials may use together: 8GB.")] = "",
) -> None:
    """Take jobs until Ctrl-C or SIGTERM, which give the running job back to the queue."""
    from flowml.ui.cli.work import start_worker

    with ended():
        start_worker(redis, token, studio, name, queues, slots, cores, max_memory)


@app.command()
def probe(json: Json = False) -> None:
    """Show what this machine can do: cores, memory, GPUs, libraries, and the queues it serves."""
    from flowml.ui.cli.work import show_probe

    with ended():
        show_probe(json)


@app.command()
def queues(json: Json = False) -> None:
    """List all queues, what each needs, and whether this machine serves it."""
    from flowml.ui.cli.work import show_queues

    with ended():
        show_queues(json)


@app.command()
def doctor(json: Json = False) -> None:
    """Look whether this machine has all that a worker needs, and say what to do where not."""
    from flowml.ui.cli.doctor import examine

    with ended():
        examine(json, worker=True)


def main() -> None:
    app()
