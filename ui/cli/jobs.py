"""`flowml jobs`: what a studio was asked to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flowml.storage.records import JobState
from flowml.ui.cli import completing
from flowml.ui.cli.asking import (
    Column,
    Json,
    StudioUrl,
    Yes,
    asking,
    done,
    moment,
    saved,
    show,
    show_one,
    sure,
)
from flowml.ui.cli.projects import Into, lies, place_of

app = typer.Typer(help="The jobs of a studio.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="Id of a job.", metavar="JOB", autocompletion=completing.jobs)]
Trial = Annotated[int, typer.Argument(min=0, help="Number of a trial, as the leaderboard has it.")]
LIST: tuple[Column, ...] = (
    ("ID", lambda j: j.id),
    ("STATE", lambda j: j.status.value),
    ("DATASET", lambda j: j.dataset_name),
    ("TARGET", lambda j: j.target_column),
    ("BEST", lambda j: score(j.metric, j.best_score)),
    ("TRIALS", lambda j: str(j.trials)),
    ("STARTED", lambda j: moment(j.created_at)),
)
ONE: tuple[Column, ...] = (
    ("id", lambda j: j.id),
    ("state", lambda j: f"{j.status.value} {j.cause}".strip()),
    ("dataset", lambda j: f"{j.dataset_name} ({j.dataset_id})"),
    ("target", lambda j: j.target_column),
    ("budget", lambda j: f"{j.time_budget:g} min"),
    ("best", lambda j: score(j.metric, j.best_score)),
    ("trials", lambda j: str(j.trials)),
    ("model", lambda j: j.champion),
    ("worker", lambda j: j.worker),
    ("started", lambda j: moment(j.created_at)),
    ("ended", lambda j: moment(j.ended_at)),
)
ROWS: tuple[Column, ...] = (
    ("", lambda r: "-" if r.rank is None else str(r.rank)),
    ("NAME", lambda r: r.name),
    ("SCORE", lambda r: r.status.value if r.score is None else f"{r.score:#.5g}"),
    ("±", lambda r: "" if r.score_std is None else f"{r.score_std:.2g}"),
    ("FIT", lambda r: f"{r.training_time:.1f} s"),
    ("MS/ROW", lambda r: "" if r.latency_ms is None else f"{r.latency_ms:.2f}"),
    ("MODEL", lambda r: r.model_id or r.cause),
)
VERDICT: tuple[Column, ...] = (
    ("trial", lambda v: str(v.trial)),
    ("outcome", lambda v: v.agreement.value if v.agreement else f"{v.status.value} {v.cause}".strip()),
    ("difference", lambda v: "" if v.gap is None else f"{v.gap:.3g}"),
    ("why", lambda v: v.why),
    ("worker", lambda v: v.worker),
)


def score(metric: str, value: float | None) -> str:
    return "" if value is None else f"{metric} {value:#.5g}"


@app.command("list")
def list_(
    state: Annotated[list[JobState] | None, typer.Option(help="Only in this state; may be repeated.")] = None,
    dataset: Annotated[
        str,
        typer.Option(
            help="Only on this dataset: its id, name or NAME:VERSION.", autocompletion=completing.datasets
        ),
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="So many at most.")] = 30,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """List the jobs, newest first."""
    none = "No such job." if state or dataset else "No job yet; `flowml train --studio` starts one."
    with asking(studio) as asked:
        show(asked.jobs(limit, state or (), dataset=dataset), LIST, as_json, none)


@app.command("show")
def show_(job: Id, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Show one job as it stands."""
    with asking(studio) as asked:
        show_one(asked.job(job), ONE, as_json)


@app.command()
def leaderboard(
    job: Id,
    sort: Annotated[str, typer.Option(help="rank, score, training_time, latency_ms, size_bytes …")] = "rank",
    descending: Annotated[bool, typer.Option("--desc", help="The largest first.")] = False,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Show all that was tried in a job."""
    with asking(studio) as asked:
        show(asked.leaderboard(job, sort, "desc" if descending else "asc").models, ROWS, as_json)


@app.command()
def script(
    job: Id,
    trial: Trial,
    out: Annotated[Path, typer.Option(help="Where it goes; a name that ends in .ipynb gives a notebook.")],
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Write a row of the leaderboard as a script that rebuilds it with public libraries."""
    with asking(studio) as asked:
        asked.script(job, trial, out)
        saved(out, as_json)


@app.command()
def verify(job: Id, trial: Trial, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Let a worker evaluate a row of the leaderboard again, and compare the scores of its folds."""
    with asking(studio) as asked:
        show_one(asked.verify(job, trial), VERDICT, as_json)


@app.command()
def stop(job: Id, studio: StudioUrl = "", as_json: Json = False) -> None:
    """End the search now and keep the best model."""
    with asking(studio) as asked:
        asked.stop(job)
        done("Stopping; the best model is kept.", as_json, stopping=job)


@app.command()
def cancel(job: Id, studio: StudioUrl = "", as_json: Json = False) -> None:
    """End a job and keep no model."""
    with asking(studio) as asked:
        asked.cancel(job)
        done("Cancelled.", as_json, cancelled=job)


@app.command()
def pause(job: Id, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Begin no further trial until the job is resumed; its clock stands still."""
    with asking(studio) as asked:
        asked.pause(job)
        done("Pausing.", as_json, pausing=job)


@app.command()
def resume(job: Id, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Go on with a job that was paused."""
    with asking(studio) as asked:
        asked.resume(job)
        done("Going on.", as_json, resuming=job)


@app.command()
def clone(
    job: Id,
    budget: Annotated[str, typer.Option(help="Another time budget: 60s, 5m.")] = "",
    name: Annotated[str, typer.Option(help="Another name.")] = "",
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed.")] = None,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Start the same job again, with other wishes where they are given."""
    from flowml.ui.cli.wishes import seconds

    changes: dict[str, object] = {"time_budget": seconds(budget) / 60} if budget else {}
    changes |= ({"name": name} if name else {}) | ({} if seed is None else {"seed": seed})
    with asking(studio) as asked:
        again = asked.clone(job, **changes)
        done(again, as_json, job_id=again)


@app.command()
def move(job: Id, project: Into, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Put a job with its models into another project, for others to see or to see no more."""
    with asking(studio) as asked:
        told = asked.move_job(job, place_of(asked, project))
        done("" if as_json else lies(asked, told.project), as_json, id=job, project=told.project)


@app.command()
def delete(job: Id, yes: Yes = False, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Forget an ended job with its trials and models."""
    with asking(studio) as asked:
        sure(f"Delete job {asked.job(job).id} with its models?", yes or as_json)
        asked.delete_job(job)
        done("Deleted.", as_json, deleted=job)
