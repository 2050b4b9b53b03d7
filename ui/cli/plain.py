"""Progress as plain lines: for logs, pipes and terminals that cannot redraw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TextIO

from flowml.runner.listener import Summary
from flowml.storage.records import Level, TrialRecord, TrialState
from flowml.storage.shown import harmless
from flowml.ui.cli.standing import Standing

SHOWN = (Level.WARNING, Level.ERROR)


@dataclass
class Plain(Standing):
    """Says what changes the picture: stages, the task, each better score, each failure."""

    stream: TextIO | None = None

    def stage(self, text: str) -> None:
        super().stage(text)
        self.say(text)

    def log(self, level: Level, text: str, trial: int | None = None) -> None:
        if level in SHOWN:
            self.say(f"{'' if trial is None else f'trial {trial}: '}{text}")

    def prepared(self, summary: Summary) -> None:
        super().prepared(summary)
        self.say(self.headline())
        for finding in summary.findings:
            self.say(f"{finding.message} {finding.advice}".strip())

    def progress(self, **fields: str | float | int) -> None:
        before = self.paused
        super().progress(**fields)
        if self.paused != before:
            self.say("Paused" if self.paused else "Going on")

    def trial_finished(self, record: TrialRecord, best_score: float | None) -> None:
        better = record.state is TrialState.COMPLETE and best_score != self.best
        super().trial_finished(record, best_score)
        if better:
            score = f"{self.metric} {record.score:#.5g}"
            self.say(f"trial {record.number}: {record.algorithm}, {score}, the best so far")

    def say(self, text: str) -> None:
        print(f"{self.elapsed_s:6.1f} s  {harmless(text)}", file=self.stream, flush=True)

    def __enter__(self) -> Plain:
        self.say(self.headline())
        return self

    def __exit__(self, *_: object) -> None: ...
