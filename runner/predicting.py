"""One attempt at a prediction job: a file of rows becomes a file of answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from redis import Redis

from flowml.runner.ending import End, receipt, unless_unwanted
from flowml.runner.progress import Rhythm
from flowml.runner.report import Report
from flowml.runner.scoring_child import score_in_child
from flowml.runner.transfer import Transfer
from flowml.storage.records import Job, JobState, Level, Scoring

KEPT_EVERY_S = 5.0  # how often the job's record hears how far it is; its events hear at once


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
        return unless_unwanted(self.redis, self.job, self._scored, self._end)

    def _scored(self, unwanted: Callable[[], bool]) -> End:
        model, source = self.transfer.fetch(self.asked.model), self.transfer.fetch(self.asked.source)
        self.report.stage("Predicting")
        kept = Rhythm(KEPT_EVERY_S)

        def told(done: int, of: int | None) -> None:
            self.report.progress(done=done, **({} if of is None else {"rows": of}))
            if kept.due():
                self.report.change({"scoring": replace(self.asked, done=done, rows=of).to_dict()})

        out = self.work / f"answers.{self.asked.format}"
        name, table = self.asked.source.name, self.asked.table
        found = score_in_child(model, source, name, out, told, unwanted, table, self.threads)
        for warning in found.warnings:
            self.report.log(Level.WARNING, warning)
        answered = replace(
            self.asked,
            answer=self.transfer.deliver(out),
            done=found.rows,
            rows=found.rows,
            warnings=found.warnings,
            more_warnings=found.more_warnings,
            drift=found.drift,
        )
        return replace(self._end(JobState.FINISHED), scoring=answered)

    def _end(self, state: JobState, cause: str = "") -> End:
        return End(state, receipt(self.started), cause)
