"""One attempt at a prediction job: a file of rows becomes a file of answers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from redis import Redis

from flowml.runner.attempt import End
from flowml.runner.control import ControlWatch
from flowml.runner.progress import Rhythm
from flowml.runner.report import Report
from flowml.runner.scoring_child import score_in_child
from flowml.runner.transfer import Transfer
from flowml.storage.errors import FlowMLError
from flowml.storage.records import Control, FileScored, Job, JobState, Level, Receipt, Scoring

KEPT_EVERY_S = 5.0  # how often the job's record hears how far it is; its events hear at once
ENDING = (Control.STOP, Control.CANCEL)  # half a file of answers is none, so both end it

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prediction:
    job: Job
    asked: Scoring
    work: Path
    threads: int
    redis: Redis  # for what the user wishes meanwhile
    report: Report
    transfer: Transfer
    started: float = field(default_factory=time.time)

    def run(self) -> End:
        """Never raises for what goes wrong in the job: that is a failed job with its cause."""
        with closing(ControlWatch(self.redis, self.job.id)) as wish:
            if wish.first() in ENDING:
                return self._end(JobState.CANCELLED)
            try:
                return self._answered(self._score(lambda: wish() in ENDING))
            except FlowMLError as error:
                return self._end(JobState.CANCELLED if wish() in ENDING else JobState.FAILED, str(error))
            except Exception as error:  # the job's edge: a fault of ours
                log.exception("Job %s failed", self.job.id, extra={"job_id": self.job.id})
                cause = f"{type(error).__name__}: {error}. The log of the job has the whole story."
                return self._end(JobState.FAILED, cause)

    def _score(self, cancelled: Callable[[], bool]) -> FileScored:
        model, source = self.transfer.fetch(self.asked.model), self.transfer.fetch(self.asked.source)
        self.report.stage("Predicting")
        kept = Rhythm(KEPT_EVERY_S)

        def told(done: int, of: int | None) -> None:
            self.report.progress(done=done, **({} if of is None else {"rows": of}))
            if kept.due():
                self.report.change({"scoring": replace(self.asked, done=done, rows=of).to_dict()})

        return score_in_child(
            model, source, self.asked.source.name, self._out, told, cancelled, self.asked.table, self.threads
        )

    @property
    def _out(self) -> Path:
        return self.work / f"answers.{self.asked.format}"

    def _answered(self, found: FileScored) -> End:
        answered = replace(
            self.asked,
            answer=self.transfer.deliver(self._out),
            done=found.rows,
            rows=found.rows,
            warnings=found.warnings,
            more_warnings=found.more_warnings,
            drift=found.drift,
        )
        for warning in found.warnings:
            self.report.log(Level.WARNING, warning)
        return self._end(JobState.FINISHED, scoring=answered)

    def _end(self, state: JobState, cause: str = "", scoring: Scoring | None = None) -> End:
        used_s = round(time.time() - self.started, 3)
        told = "" if state is JobState.CANCELLED else cause
        return End(state, Receipt(budget_s=0.0, used_s=used_s), told, scoring=scoring)
