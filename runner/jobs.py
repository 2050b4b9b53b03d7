"""The functions that a worker runs, by the names in the allow-list of `queue`. Arguments are plain JSON.

A job may be killed at any moment and is then run again, maybe elsewhere: it goes on from its work folder, and
whatever it tells twice counts once. What goes wrong in the job itself ends it as failed, with its cause; only
the loss of a machine makes it run again.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from redis import Redis

from flowml.runner import control, facts, logs, workfolder
from flowml.runner.answering import Answering, ollama_of
from flowml.runner.attempt import Attempt
from flowml.runner.connection import connect, patient
from flowml.runner.ending import End
from flowml.runner.events import EventWriter
from flowml.runner.facts import FactWriter
from flowml.runner.helping import Helper
from flowml.runner.home import place_of
from flowml.runner.limits import allowance
from flowml.runner.predicting import Prediction
from flowml.runner.relay import Relay
from flowml.runner.report import Report
from flowml.runner.second import Second
from flowml.runner.study import Study
from flowml.runner.team import Task
from flowml.runner.transfer import transfer_of
from flowml.runner.workplace import WORKPLACE
from flowml.storage.errors import FlowMLError
from flowml.storage.ids import check_id
from flowml.storage.records import Dataset, FactKind, Job, Json

TOLD_WITHIN_S = 900.0  # for a Redis that is away when the job ends; after that its facts wait on the disk

log = logging.getLogger(__name__)


def train(job: Json, dataset: Json) -> str:
    """Runs a training job to its end; answers with the state that it ended in."""
    place, table = WORKPLACE.get(), Dataset.from_dict(dataset)

    def make(asked: Job, work: Path, redis: Redis, report: Report, number: int) -> End:
        transfer = transfer_of(place.settings, redis, asked.id)
        return Attempt(place, asked, table, work, redis, report, transfer, number).run()

    return _to_its_end(Job.from_dict(job), make)


def predict(job: Json) -> str:
    """Runs a prediction job to its end; answers with the state that it ended in."""

    def make(asked: Job, work: Path, redis: Redis, report: Report, _: int) -> End:
        assert asked.scoring is not None
        place = WORKPLACE.get()
        threads = place.cores or allowance().cpus
        transfer = transfer_of(place.settings, redis, asked.id)
        return Prediction(asked, asked.scoring, work, threads, redis, report, transfer).run()

    return _to_its_end(Job.from_dict(job), make)


def answer(job: Json) -> str:
    """Runs an explanation job to its end; answers with the state that it ended in."""

    def make(asked: Job, _: Path, redis: Redis, report: Report, __: int) -> End:
        assert asked.inquiry is not None
        ollama = ollama_of(WORKPLACE.get().settings)
        return Answering(asked, asked.inquiry, ollama, redis, report).run()

    return _to_its_end(Job.from_dict(job), make)


def verify(job: Json, dataset: Json) -> str:
    """Evaluates a row of a leaderboard again; answers with the state that the job ended in."""

    def make(asked: Job, work: Path, redis: Redis, report: Report, _: int) -> End:
        assert asked.verifying is not None
        place, table = WORKPLACE.get(), Dataset.from_dict(dataset)
        transfer = transfer_of(place.settings, redis, asked.id)
        return Second(asked, asked.verifying, table, work, place.worker, redis, report, transfer).run()

    return _to_its_end(Job.from_dict(job), make)


Make: TypeAlias = Callable[[Job, Path, Redis, Report, int], End]


def _to_its_end(asked: Job, make: Make) -> str:
    place = WORKPLACE.get()
    check_id(asked.id)
    redis = connect(place.redis_url, patient())
    with closing(redis), workfolder.held(place.settings.work / asked.id) as work:
        if facts.has_ended(redis, asked.id):
            return "It had ended before, and RQ did not hear of it."
        end = _attempt(asked, work, facts.begin_attempt(redis, asked.id), make)
        if end is None:
            return "A later attempt has begun elsewhere and counts instead."
        facts.mark_ended(redis, asked.id)
        _clear_away(redis, asked.id)
        control.forget(redis, asked.id)
        shutil.rmtree(work, ignore_errors=True)
        return end.state.value


def _attempt(job: Job, work: Path, number: int, make: Make) -> End | None:
    """How the job ended, as it was told; None where a later attempt has begun, whose word counts."""
    place = WORKPLACE.get()
    redis = connect(place.redis_url)
    with closing(redis), FactWriter(redis, place.settings.spool, job.id, job.id, number) as told:
        logs.set_up(place.settings, place.worker, told.put, job_id=job.id)
        with EventWriter(redis, job.id) as events:
            report = Report(job.id, place.worker, events, told)
            report.begun(number)
            end = make(job, work, redis, report, number)
            report.ended(end.state, end.cause)
        if end.model is not None:
            told.put(FactKind.MODEL, end.model.to_dict(), f"{job.id}:model")
        rows = [row.to_dict() for row in end.leaderboard]
        report.change(end.changes(), f"{job.id}:end", leaderboard=rows)
        if not told.flush(TOLD_WITHIN_S):
            log.error("Redis is away; the end of job %s waits in %s", job.id, place.settings.spool)
        return None if told.fenced else end


def _clear_away(redis: Redis, job_id: str) -> None:
    """What the machines said to each other, and the files that they sent."""
    study, transfer = Study(job_id), transfer_of(WORKPLACE.get().settings, redis, job_id)
    for line in study.journal(redis):
        if line.get("parcel"):
            transfer.discard(line["parcel"]["sha256"])
    study.forget(redis)


def help_study(job: Json, dataset: Json) -> str:
    """Evaluates trials for the worker that leads a job; answers why it left."""
    place = WORKPLACE.get()
    asked, table = Job.from_dict(job), Dataset.from_dict(dataset)
    check_id(asked.id)
    own = place.settings.work / f"{workfolder.HELP}{asked.id}-{place.worker}"
    redis = connect(place.redis_url)
    with closing(redis), FactWriter(redis, place.settings.spool, f"help for {asked.id}") as told:
        logs.set_up(place.settings, place.worker, told.put, job_id=asked.id)
        with workfolder.held(own):
            transfer = transfer_of(place.settings, redis, asked.id)
            try:
                task = Task(transfer.fetch(table), table.schema, asked.spec)
            except FlowMLError as error:
                log.warning("Job %s cannot be helped. %s", asked.id, error)
                return str(error)
            relay = Relay(place_of(place.settings.home), own, transfer)
            why = Helper(place, redis, Study(asked.id), task, relay, own).run()
            shutil.rmtree(own, ignore_errors=True)
        log.info("It has helped job %s. %s", asked.id, why)
        return why
