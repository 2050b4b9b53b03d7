"""`flowml workers`: the machines that train."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flowml.ui.cli import completing
from flowml.ui.cli.asking import Column, Json, StudioUrl, asking, done, moment, show, show_one

app = typer.Typer(help="The machines that train for a studio.", no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(help="Name of a worker.", metavar="WORKER", autocompletion=completing.workers)
]


def _memory(worker: Any) -> str:
    """Of the machine, and what of it trials may use where that was limited."""
    total = f"{worker.capabilities.ram_total / 2**30:.0f} GiB"
    return f"{worker.memory_limit / 2**30:.1f} of {total}" if worker.memory_limit else total


LIST: tuple[Column, ...] = (
    ("NAME", lambda w: w.name),
    ("STATE", lambda w: f"{w.status} ({w.told})" if w.told and w.status == "busy" else w.status),
    ("JOB", lambda w: w.job_id),
    ("CORES", lambda w: str(w.capabilities.cpus)),
    ("MEMORY", lambda w: _memory(w)),
    ("GPUS", lambda w: str(len(w.capabilities.gpus))),
    ("QUEUES", lambda w: ", ".join(w.queues)),
    ("HEARD", lambda w: moment(w.heartbeat)),
)
ONE: tuple[Column, ...] = tuple((name.lower(), text) for name, text in LIST)


@app.command("list")
def list_(studio: StudioUrl = "", as_json: Json = False) -> None:
    """List the workers: those online, then those known from before."""
    with asking(studio) as asked:
        nothing = "No worker is known; `flowml workers start` starts one on the studio's machine."
        show(asked.workers(), LIST, as_json, nothing)


@app.command("show")
def show_(worker: Name, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Show one worker."""
    with asking(studio) as asked:
        show_one(asked.worker(worker), ONE, as_json)


@app.command()
def start(studio: StudioUrl = "", as_json: Json = False) -> None:
    """Start a worker on the studio's machine, which lives as long as the studio."""
    with asking(studio) as asked:
        name = asked.start_worker()
        done(f"{name} comes online within seconds; `flowml workers list` shows it.", as_json, name=name)


@app.command()
def pause(worker: Name, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Let a worker end the job that it has, and take no other until `resume`."""
    with asking(studio) as asked:
        show_one(asked.pause_worker(worker), ONE, as_json)


@app.command()
def drain(worker: Name, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Have a worker give its job back, to go on elsewhere, and take no other until `resume`."""
    with asking(studio) as asked:
        show_one(asked.drain_worker(worker), ONE, as_json)


@app.command()
def resume(worker: Name, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Let a worker take jobs again."""
    with asking(studio) as asked:
        show_one(asked.resume_worker(worker), ONE, as_json)


@app.command()
def forget(worker: Name, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Take an offline worker out of the list."""
    with asking(studio) as asked:
        asked.forget_worker(worker)
        done("Forgotten.", as_json, forgotten=worker)
