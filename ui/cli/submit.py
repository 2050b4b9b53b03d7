"""`flowml train --studio`: the same training on a studio and its workers, with the same files at its end."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from flowml.runner.papers import COMPACT, MODEL, card_text
from flowml.storage.errors import FlowMLError, NotFound
from flowml.storage.records import JobSpec, JobState
from flowml.ui.api.bodies.results import LeaderboardModel
from flowml.ui.api.bodies.training import JobAnswer
from flowml.ui.cli.ending import CANCELLED
from flowml.ui.cli.watch import Place, follow, tell_end, view_of
from flowml.ui.client import Studio

# Fields of a row as files hold them, and as the API tells them.
ROW = ("rank", "name", "algorithm", "score", "score_std", "metric", "latency_ms", "size_bytes", "cause")


def train_on(studio: Studio, file: Path, spec: JobSpec, out: Path, as_json: bool, table: str = "") -> None:
    """The first Ctrl-C stops the search and keeps the best model, the second cancels."""
    if not file.is_file():
        raise NotFound(f"There is no file {file}.", "Check the path.")
    dataset = studio.upload(file, table=table, show=False if as_json else None)
    job = studio.job(studio.train(dataset.id, spec.target, **wishes(spec)))
    place = Place()
    with view_of(job, errors=as_json) as view:
        for again in (False, True):
            with _interrupted(studio, job.id, again):
                job = follow(studio, job, view, place)
                break
        job = studio.wait(job.id, show=False)
    if job.status is JobState.CANCELLED:
        typer.echo("Cancelled; nothing was written.", err=True)
        raise typer.Exit(CANCELLED)
    if job.status is JobState.FAILED:
        raise FlowMLError(job.cause, f"`flowml logs --job {job.id}` tells more.")
    write_papers(studio, job, out)
    if as_json:
        typer.echo(json.dumps(summary(studio, job, out)))
        return
    tell_end(studio, job)
    typer.echo(f"Written to {out}.")


def wishes(spec: JobSpec) -> dict[str, Any]:
    """A spec as the API takes it."""
    return {
        "problem_type": spec.task,
        "metric": spec.metric,
        "time_budget": spec.budget_s / 60,
        "seed": spec.seed,
        "model_types": list(spec.algorithms),
        "max_trials": spec.max_trials,
        "split": spec.split,
        "folds": spec.folds,
        "roles": {name: role.value for name, role in spec.roles.items()},
        "max_latency_ms": spec.max_latency_ms,
        "max_size_mb": None if spec.max_size_bytes is None else spec.max_size_bytes / 1e6,
        "jobs": spec.jobs,
        "name": spec.name,
    }


@contextlib.contextmanager
def _interrupted(studio: Studio, job_id: str, again: bool) -> Iterator[None]:
    """Turns a Ctrl-C into what is asked of the job."""
    try:
        yield
    except KeyboardInterrupt:
        if again:
            studio.cancel(job_id)
            return
        typer.echo("\nStopping; the best so far is kept. Ctrl-C again cancels.", err=True)
        studio.stop(job_id)


def write_papers(studio: Studio, job: JobAnswer, out: Path) -> None:
    """The files that `flowml train` leaves in its folder."""
    out.mkdir(parents=True, exist_ok=True)
    studio.download(job.champion, out / MODEL)
    model = studio.model(job.champion)
    if model.compact is not None:
        studio.download(job.champion, out / COMPACT, variant="compact")
    studio.download(job.champion, out / "card.json", "card")
    (out / "card.md").write_text(card_text(json.loads((out / "card.json").read_text())), "utf-8")
    rows = [row_of(row) for row in studio.leaderboard(job.id).models]
    explained = studio.explanations(job.champion).model_dump(mode="json")
    receipt = studio.receipt(job.id).to_dict()
    for name, paper in (("leaderboard", rows), ("receipt", receipt), ("explain", explained)):
        (out / f"{name}.json").write_text(json.dumps(paper, indent=1), "utf-8")


def row_of(row: LeaderboardModel) -> dict[str, Any]:
    told = row.model_dump(mode="json")
    kept = {name: told[name] for name in ROW}
    return kept | {"fit_seconds": told["training_time"], "state": told["status"], "champion": row.champion}


def summary(studio: Studio, job: JobAnswer, out: Path) -> dict[str, object]:
    """What `--json` prints: the same as without a studio, and the ids there."""
    board = studio.leaderboard(job.id).models
    best = next((row for row in board if row.champion), board[0])
    used = 0.0 if job.receipt is None else round(job.receipt.used_s, 3)
    return {
        "model": str(out / MODEL),
        "metric": job.metric,
        "score": best.score,
        "trials": job.trials,
        "used_s": used,
        "champion": best.name,
        "state": job.status.value,
        "job_id": job.id,
        "model_id": job.champion,
    }
