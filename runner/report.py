"""What a lane tells, sent on: progress as events, what must last as facts."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from flowml.runner.events import EventWriter
from flowml.runner.facts import FactWriter
from flowml.runner.listener import Candidate, Summary
from flowml.storage.records import (
    EventKind,
    FactKind,
    Finding,
    JobState,
    Json,
    Level,
    TrialRecord,
    TrialState,
)

LEVELS = {
    Level.DEBUG: logging.DEBUG,
    Level.INFO: logging.INFO,
    Level.WARNING: logging.WARNING,
    Level.ERROR: logging.ERROR,
}
# Fields of a trial that its event tells; the rest is in its fact.
TOLD = (
    "number",
    "algorithm",
    "state",
    "stage",
    "metric",
    "score",
    "score_std",
    "seconds",
    "fit_seconds",
    "predict_seconds",
    "size_bytes",
    "device",
    "cause",
)

log = logging.getLogger("flowml.job")


class Report:
    """The listener of a lane that works for a studio."""

    def __init__(self, job_id: str, worker: str, events: EventWriter, facts: FactWriter) -> None:
        self._job_id = job_id
        self._worker = worker
        self._events = events
        self._facts = facts
        self._state = JobState.RUNNING.value
        self._metric = ""
        self._findings: tuple[Finding, ...] = ()

    def change(self, changes: Json, id: str = "", **more: object) -> None:
        """Changes fields of the job; an `id` makes telling it twice harmless."""
        self._facts.put(FactKind.JOB, {"id": self._job_id, "changes": changes, **more}, id)

    def stage(self, text: str) -> None:
        self._events.tell(EventKind.STAGE, text=text)

    def log(self, level: Level, text: str, trial: int | None = None) -> None:
        log.log(LEVELS[level], "%s", text, extra={"job_id": self._job_id, "trial": trial})
        if level is not Level.DEBUG:
            self._events.tell(
                EventKind.LOG, level=level.value, message=text, trial=trial, source=self._worker
            )

    def prepared(self, summary: Summary) -> None:
        self._metric = summary.metric
        self._findings = summary.findings
        settled = {name: summary.to_dict()[name] for name in ("task", "metric", "direction", "findings")}
        self.change(settled)
        self.log(Level.INFO, f"{summary.reason} {summary.folds}".strip())

    def noticed(self, findings: tuple[Finding, ...]) -> None:
        new = [each for each in findings if each not in self._findings]  # a job that goes on knows some
        self.change({"findings": [finding.to_dict() for finding in (*self._findings, *new)]})

    def resumed(self, records: Sequence[TrialRecord]) -> None:
        """An earlier attempt may have been killed before it told of them; to tell twice does no harm."""
        for record in records:
            self._facts.put(FactKind.TRIAL, {"job_id": self._job_id, "record": record.to_dict()})

    def trial_started(self, candidate: Candidate, worker: str = "") -> None:
        record = TrialRecord(
            number=candidate.number,
            algorithm=candidate.algorithm,
            params=dict(candidate.params),
            state=TrialState.RUNNING,
            stage=candidate.stage,
            metric=self._metric,
            started_at=time.time(),
            worker=worker or self._worker,
        )
        self._facts.put(FactKind.TRIAL, {"job_id": self._job_id, "record": record.to_dict()})
        self._events.tell(
            EventKind.TRIAL_STARTED,
            number=candidate.number,
            algorithm=candidate.algorithm,
            stage=candidate.stage,
            worker=worker or self._worker,
        )

    def trial_finished(self, record: TrialRecord, best_score: float | None) -> None:
        told = record.to_dict()
        self._facts.put(FactKind.TRIAL, {"job_id": self._job_id, "record": told, "best_score": best_score})
        self._events.tell(
            EventKind.TRIAL_FINISHED, best_score=best_score, **{name: told[name] for name in TOLD}
        )

    def progress(self, **fields: str | float | int) -> None:
        self._events.tell(EventKind.STATE, **fields)
        state = str(fields.get("state", self._state))
        if state != self._state:
            self._state = state
            self.change({"state": state})

    def begun(self, attempt: int) -> None:
        """The first fact of an attempt; the trials of an earlier one do not run any more."""
        changes = {
            "state": JobState.RUNNING.value,
            "worker": self._worker,
            "started_at": time.time(),
            "cause": "",
        }
        self.change(changes, f"{self._job_id}:begin:{attempt}", no_trial_runs=True)
        self.stage("Starting" if attempt == 1 else "Going on")

    def ended(self, state: JobState, cause: str) -> None:
        """The last event."""
        self._events.tell(EventKind.STATE, state=state.value, cause=cause)
