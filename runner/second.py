"""One attempt at a verification job: a row of a leaderboard is evaluated again on this worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from redis import Redis

from flowml.runner.ending import End, receipt, unless_unwanted
from flowml.runner.probe import cpu_model
from flowml.runner.report import Report
from flowml.runner.transfer import Transfer
from flowml.runner.verification import Verification
from flowml.storage.records import Dataset, Job, JobState, Source, StudyRecord, Verifying
from flowml.storage.version import VERSION


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
        return unless_unwanted(self.redis, self.job, self._evaluated, self._end)

    def _evaluated(self, unwanted: Callable[[], bool]) -> End:
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
        verification = Verification(table, study, self.work / "again", ended=unwanted)
        verdict = next(iter(verification.run(study.trials)), None)
        if verdict is None:
            return self._end(JobState.CANCELLED)
        stamped = replace(self.asked, verdict=verdict, at=time.time(), worker=self.worker)
        return replace(self._end(JobState.FINISHED), verifying=stamped)

    def _end(self, state: JobState, cause: str = "") -> End:
        return End(state, receipt(self.started), cause)
