"""What a lane tells while it works, and what it leaves at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from flowml.storage.records import (
    Finding,
    JobState,
    Json,
    LeaderboardRow,
    Level,
    Receipt,
    Record,
    Task,
    TrialRecord,
)


@dataclass(frozen=True)
class Summary(Record):
    """What was settled when the table was prepared."""

    task: Task
    reason: str  # why this task
    metric: str
    direction: str
    folds: str  # how the rows are split, and why
    rows: int
    columns: int
    findings: tuple[Finding, ...] = ()


class Candidate(Protocol):
    """What a listener may know of a trial that starts."""

    @property
    def number(self) -> int: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def params(self) -> Mapping[str, object]: ...
    @property
    def stage(self) -> str: ...


class Listener(Protocol):
    """Called from the lane's own thread; must return at once."""

    def stage(self, text: str) -> None:
        """What the lane does now, in a few words."""

    def log(self, level: Level, text: str, trial: int | None = None) -> None: ...

    def prepared(self, summary: Summary) -> None: ...

    def noticed(self, findings: tuple[Finding, ...]) -> None:
        """What the check of the table found, once, some time after it was prepared."""

    def resumed(self, records: Sequence[TrialRecord]) -> None:
        """Trials of an earlier attempt, which may not have come to tell of them."""

    def trial_started(self, candidate: Candidate, worker: str = "") -> None:
        """`worker` is set where a helper runs it."""

    def trial_finished(self, record: TrialRecord, best_score: float | None) -> None:
        """A trial that is lost with its helper starts again later, with another one."""

    def progress(self, **fields: str | float | int) -> None:
        """About once a second and at each change of state: state, elapsed_s, budget_s, trials, running."""


@dataclass(frozen=True)
class LaneOutcome:
    """`champion` is what the finish wrote of the best model; None unless the state is finished or stopped."""

    state: JobState
    receipt: Receipt
    champion: Json | None = None
    leaderboard: tuple[LeaderboardRow, ...] = ()
    cause: str = ""
    advice: str = ""
    code: str = ""  # of the error that it failed with
    summary: Summary | None = None
    findings: tuple[Finding, ...] = ()  # of the check; those of the preparation are in the summary
    trials: tuple[TrialRecord, ...] = ()
    notes: tuple[str, ...] = field(default=())
