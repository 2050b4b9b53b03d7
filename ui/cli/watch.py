"""`flowml watch`: a job of a studio, seen from a terminal as if it ran here."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from flowml.runner.listener import Summary
from flowml.storage.errors import NotFound
from flowml.storage.records import ACTIVE, ENDED, Event, EventKind, JobState, Level, Task, TrialRecord
from flowml.storage.shown import harmless
from flowml.ui.api.bodies.training import JobAnswer
from flowml.ui.cli.asking import plain
from flowml.ui.cli.ending import EXPLAINED
from flowml.ui.cli.plain import Plain
from flowml.ui.client import Studio

if TYPE_CHECKING:
    from flowml.ui.cli.live import Live

WAIT_S = 1.0


@dataclass(frozen=True)
class Started:
    """A trial that an event tells of."""

    number: int
    algorithm: str
    stage: str
    params: dict[str, object] = field(default_factory=dict)


def watch_job(studio: Studio, job_id: str, as_json: bool) -> None:
    """Until the job has ended. As JSON, one object for each event, at last the job."""
    job = studio.job(job_id) if job_id else _newest(studio)
    if as_json:
        for event in studio.events(job.id):
            typer.echo(json.dumps({"event": event.kind.value, "at": event.at, **event.fields}))
        job = studio.job(job.id)
        typer.echo(json.dumps(plain(job), ensure_ascii=False))
    else:
        with view_of(job) as view:
            job = follow(studio, job, view)
        tell_end(studio, job)
    if job.status is JobState.FAILED:
        raise typer.Exit(EXPLAINED)


def _newest(studio: Studio) -> JobAnswer:
    active = studio.jobs(1, ACTIVE)
    if not active:
        raise NotFound("No job waits or runs now.", "Name one; `flowml jobs list` shows them.")
    return active[0]


def view_of(job: JobAnswer, errors: bool = False) -> Plain | Live:
    """Redrawn on a terminal, else plain lines; with `errors` on stderr."""
    began = job.started_at or time.time()
    if errors or not sys.stdout.isatty():
        stream = sys.stderr if errors else sys.stdout
        return Plain(job.dataset_name, job.target_column, job.time_budget * 60, began, stream=stream)
    from flowml.ui.cli.live import Live as Redrawn  # rich takes a moment to load

    return Redrawn(job.dataset_name, job.target_column, job.time_budget * 60, began)


@dataclass
class Place:
    """How far the events of a job were read."""

    after: str = "0"


def follow(studio: Studio, job: JobAnswer, view: Plain | Live, place: Place | None = None) -> JobAnswer:
    """Tells the view what happens, until the job has ended; gives the job as it ended."""
    place = place or Place()
    view.stage("Waiting for a worker" if job.started_at is None else "Running")
    while True:
        for event in studio.events(job.id, place.after):
            place.after = event.id
            view.at = event.at
            if view.summary is None:
                _introduce(studio, job.id, view)
            _tell(view, event)
            view.at = None
        job = studio.job(job.id)
        if job.status in ENDED:
            return job
        time.sleep(WAIT_S)  # the studio was stopped or started again meanwhile


def _introduce(studio: Studio, job_id: str, view: Plain | Live) -> None:
    """Once the table is prepared, what is learned and how it is measured."""
    job = studio.job(job_id)
    view.started = job.started_at or view.started
    if job.task is not None and job.metric:
        table = studio.dataset(job.dataset_id)
        task = Task(job.task)
        view.prepared(Summary(task, "", job.metric, job.direction, "", table.rows, len(table.table.columns)))


def _tell(view: Plain | Live, event: Event) -> None:
    told: dict[str, Any] = event.fields
    if event.kind is EventKind.STAGE:
        view.stage(str(told.get("text", "")))
    elif event.kind is EventKind.LOG:
        view.log(Level(told.get("level", "info")), str(told.get("message", "")), told.get("trial"))
    elif event.kind is EventKind.STATE:
        view.progress(at=event.at, **told)
    elif event.kind is EventKind.TRIAL_STARTED:
        started = Started(int(told["number"]), str(told["algorithm"]), str(told.get("stage", "")))
        view.trial_started(started)
    elif event.kind is EventKind.TRIAL_FINISHED:
        known = {name: value for name, value in told.items() if value is not None}
        best = told.get("best_score")
        view.trial_finished(TrialRecord.from_dict({"params": {}, **known}), best)


def tell_end(studio: Studio, job: JobAnswer) -> None:
    """How it ended, and the best of what was found."""
    if job.status is JobState.FAILED:
        typer.secho(harmless(f"Failed: {job.cause}"), fg=typer.colors.RED, err=True)
        return
    if not job.champion:
        typer.echo(f"{job.status.value.capitalize()}; there is no model.")
        return
    for row in studio.leaderboard(job.id).models[:10]:
        rank = "   -" if row.rank is None else f"{row.rank:4d}"
        score = row.status.value if row.score is None else f"{row.score:#.5g}"
        typer.echo(f"{rank}  {row.name:<32.32}  {score:>10}  {row.training_time:8.1f} s")
    best = "" if job.best_score is None else f"{job.metric} {job.best_score:#.5g}"
    typer.secho(f"{best}, model {job.champion}", bold=True)
