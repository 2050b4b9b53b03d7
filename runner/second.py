"""One attempt at a verification job: a row of a leaderboard is evaluated again on this worker."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from redis import Redis

from flowml.runner.attempt import End
from flowml.runner.control import ControlWatch
from flowml.runner.probe import cpu_model
from flowml.runner.report import Report
from flowml.runner.transfer import Transfer
from flowml.runner.verification import Verification
from flowml.storage.errors import FlowMLError
from flowml.storage.records import (
    Control,
    Dataset,
    Job,
    JobState,
    Receipt,
    Source,
    StudyRecord,
    Verdict,
    Verifying,
)
from flowml.storage.version import VERSION

ENDING = (Control.STOP, Control.CANCEL)  # half a comparison is none, so both end it

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Second:
    job: Job
    asked: Verifying
    dataset: Dataset
    work: Path
    worker: str
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
                verdict = self._evaluated(wish)
            except FlowMLError as error:
                return self._end(JobState.FAILED, str(error))
            except Exception as error:  # the job's edge: a fault of ours
                log.exception("Job %s failed", self.job.id, extra={"job_id": self.job.id})
                cause = f"{type(error).__name__}: {error}. The log of the job has the whole story."
                return self._end(JobState.FAILED, cause)
        if verdict is None:
            return self._end(JobState.CANCELLED)
        stamped = replace(self.asked, verdict=verdict, at=time.time(), worker=self.worker)
        return replace(self._end(JobState.FINISHED), verifying=stamped)

    def _evaluated(self, wish: ControlWatch) -> Verdict | None:
        """None when the user does not want to know any more."""
        table = self.transfer.fetch(self.dataset)
        self.report.stage("Evaluating the row again")
        study = StudyRecord(
            spec=self.job.spec,
            schema=self.dataset.schema,
            source=Source("", 0, ""),
            trials=(self.asked.row,),
            made_with=VERSION,
            processor=self.asked.processor or cpu_model(),
        )
        verification = Verification(table, study, self.work / "again", ended=lambda: wish() in ENDING)
        return next(iter(verification.run(study.trials)), None)

    def _end(self, state: JobState, cause: str = "") -> End:
        used_s = round(time.time() - self.started, 3)
        return End(state, Receipt(budget_s=0.0, used_s=used_s), cause)
