"""How a training stands, gathered from what its lane tells. Both views of the terminal draw from it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from flowml.runner.listener import Candidate, Summary
from flowml.storage.records import Finding, JobState, Level, Severity, TrialRecord, TrialState

WORDS = {"maximize": "higher is better", "minimize": "lower is better"}


@dataclass
class Standing:
    """A listener that only remembers."""

    source: str
    target: str
    budget_s: float
    started: float = field(default_factory=time.time)
    now: str = "Reading the table"
    summary: Summary | None = None
    best: float | None = None
    running: int = 0
    counts: dict[TrialState, int] = field(default_factory=dict)
    bests: dict[str, TrialRecord] = field(default_factory=dict)  # of each algorithm
    paused: bool = False
    used_s: float | None = None  # of the budget, when that was last told
    told_at: float = 0.0
    at: float | None = None  # when what is being told happened; None: now

    def stage(self, text: str) -> None:
        self.now = text

    def log(self, level: Level, text: str, trial: int | None = None) -> None: ...

    def prepared(self, summary: Summary) -> None:
        self.summary = summary

    def noticed(self, findings: tuple[Finding, ...]) -> None:
        for finding in findings:
            if finding.severity is not Severity.NOTE:
                self.log(Level.WARNING, f"{finding.message} {finding.advice}".strip())

    def resumed(self, records: Sequence[TrialRecord]) -> None: ...

    def trial_started(self, _candidate: Candidate, worker: str = "") -> None:  # noqa: ARG002
        self.running += 1

    def trial_finished(self, record: TrialRecord, best_score: float | None) -> None:
        self.running -= 1
        self.best = best_score
        self.counts[record.state] = self.counts.get(record.state, 0) + 1
        known = self.bests.get(record.algorithm)
        if record.score is not None and (known is None or self._better(record, known)):
            self.bests[record.algorithm] = record

    def progress(self, **fields: str | float | int) -> None:
        self.paused = fields.get("state") == JobState.PAUSED
        if "elapsed_s" in fields:
            self.used_s, self.told_at = float(fields["elapsed_s"]), float(fields.get("at", time.time()))

    @property
    def elapsed_s(self) -> float:
        """Of the budget; it stands still while the job is paused."""
        if self.used_s is None:
            return (self.at or time.time()) - self.started
        return self.used_s + (0.0 if self.paused else (self.at or time.time()) - self.told_at)

    @property
    def doing(self) -> str:
        return "Paused" if self.paused else self.now

    @property
    def metric(self) -> str:
        return self.summary.metric if self.summary else ""

    @property
    def trials(self) -> int:
        return sum(self.counts.values())

    @property
    def failed(self) -> int:
        return self.counts.get(TrialState.FAILED, 0)

    def leaders(self, count: int) -> list[TrialRecord]:
        """The best trial of each algorithm, best first."""
        ordered = sorted(self.bests.values(), key=lambda record: record.score or 0.0)
        return (ordered[::-1] if self._maximize else ordered)[:count]

    def headline(self) -> str:
        """What is learned and how it is measured, in one line."""
        if self.summary is None:
            return f"{self.source} → {self.target}"
        of = f"{self.summary.rows:,} rows, {self.summary.columns} columns"
        words = WORDS[self.summary.direction]
        return f"{self.source} → {self.target}: {self.summary.task}, {of}, {self.metric} ({words})"

    @property
    def _maximize(self) -> bool:
        return self.summary is None or self.summary.direction == "maximize"

    def _better(self, record: TrialRecord, than: TrialRecord) -> bool:
        one, other = record.score or 0.0, than.score or 0.0
        return one > other if self._maximize else one < other
