"""What a watcher of one job knows: the trials so far, kept current by folding in the events that follow.

The first look takes the trials from the database; events since then only add to them, so that a page which
updates each second never reads thousands of rows again.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from flowml.storage.records import (
    Event,
    EventKind,
    JobState,
    LeaderboardRow,
    Level,
    LogLine,
    Phase,
    TrialRecord,
    TrialState,
)
from flowml.ui import catalog, words

LOG_LINES = 300
SILENT_S = 5.0  # a lane tells its clock each second; beyond this it is not guessed on
SAME_START_S = 1.0  # an event and the record of the same start differ by less


@dataclass(frozen=True)
class Running:
    """A trial that has started and not ended."""

    number: int
    algorithm: str
    stage: str
    started_at: float
    worker: str = ""


@dataclass
class Watch:
    job_id: str
    cursor: str = "0"
    stage: str = ""
    used_s: float | None = None  # as the lane's own clock last told
    told_at: float = 0.0
    paused: bool = False
    stages: list[tuple[str, float]] = field(default_factory=list)  # of the job, and the clock at its begin
    trials: dict[int, TrialRecord] = field(default_factory=dict)
    running: dict[int, Running] = field(default_factory=dict)
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))

    @classmethod
    def of(cls, job_id: str, trials: Iterable[TrialRecord]) -> Watch:
        watch = cls(job_id)
        for trial in trials:
            if trial.state is TrialState.RUNNING:
                begun = Running(trial.number, trial.algorithm, trial.stage, trial.started_at, trial.worker)
                watch.running[trial.number] = begun
            else:
                watch.trials[trial.number] = trial
        return watch

    def fold(self, events: Iterable[Event]) -> int:
        """Take in events in their order; gives how many there were."""
        seen = 0
        for event in events:
            _FOLDS[event.kind](self, event)
            self.cursor = event.id
            seen += 1
        return seen

    @property
    def ended(self) -> list[TrialRecord]:
        return list(self.trials.values())

    def standings(self, direction: str, limit: int = 10) -> list[LeaderboardRow]:
        """The best complete trials, best first."""
        scored = [t for t in self.trials.values() if t.state is TrialState.COMPLETE and t.score is not None]
        sign = -1.0 if direction == "maximize" else 1.0
        best = heapq.nsmallest(limit, scored, key=lambda t: (sign * (t.score or 0.0), t.number))
        return [LeaderboardRow.of(trial, rank=rank, name="") for rank, trial in enumerate(best, start=1)]

    def clock(self, now: float) -> float | None:
        """Seconds of the budget that are used, between two words of the lane too; None before its first."""
        if self.used_s is None:
            return None
        return self.used_s if self.paused else self.used_s + min(SILENT_S, max(0.0, now - self.told_at))

    def phases(self, used_s: float) -> tuple[Phase, ...]:
        """What has used the budget so far; a stage that was entered twice is told once."""
        ends = [begun for _, begun in self.stages[1:]] + [used_s]
        sums: dict[str, float] = {}
        for (name, begun), end in zip(self.stages, ends, strict=True):
            sums[name] = sums.get(name, 0.0) + max(0.0, min(end, used_s) - begun)
        return tuple(Phase(name, seconds) for name, seconds in sums.items())

    def count(self, state: TrialState) -> int:
        return sum(1 for trial in self.trials.values() if trial.state is state)


def _stage(watch: Watch, event: Event) -> None:
    watch.stage = str(event.fields.get("text", ""))
    watch.stages.append((watch.stage, watch.clock(event.at) or 0.0))


def _trial_started(watch: Watch, event: Event) -> None:
    told = event.fields
    number = int(told["number"])
    known = watch.trials.get(number)
    if known is None or (known.state is TrialState.LOST and known.started_at < event.at - SAME_START_S):
        watch.running[number] = Running(
            number,
            str(told.get("algorithm", "")),
            str(told.get("stage", "")),
            event.at,
            str(told.get("worker", "")),
        )


def _trial_finished(watch: Watch, event: Event) -> None:
    told = {name: value for name, value in event.fields.items() if value is not None}
    began = event.at - float(told.get("seconds", 0.0))
    running = watch.running.pop(int(told["number"]), None)
    worker = running.worker if running else ""
    trial = TrialRecord.from_dict({"params": {}, "started_at": began, "worker": worker, **told})
    known = watch.trials.get(trial.number)
    if known is None or known.state is TrialState.LOST:
        watch.trials[trial.number] = trial  # else the database had it already, and whole
    if trial.state is TrialState.COMPLETE:  # of others the lane itself says why
        watch.log.append(LogLine(event.at, Level.INFO, "", _told(trial), watch.job_id, trial.number))


def _told(trial: TrialRecord) -> str:
    name = catalog.algorithm(trial.algorithm)
    return f"Trial {trial.number}, {name}: {words.score(trial.score)} in {words.duration(trial.seconds)}"


def _log(watch: Watch, event: Event) -> None:
    told = event.fields
    watch.log.append(
        LogLine(
            event.at,
            Level(told.get("level", Level.INFO)),
            str(told.get("source", "")),
            str(told.get("message", told.get("text", ""))),
            watch.job_id,
            told.get("trial"),
        )
    )


def _state(watch: Watch, event: Event) -> None:
    watch.paused = event.fields.get("state") == JobState.PAUSED
    used = event.fields.get("elapsed_s")
    if used is not None:
        watch.used_s, watch.told_at = float(used), event.at


_FOLDS = {
    EventKind.STAGE: _stage,
    EventKind.TRIAL_STARTED: _trial_started,
    EventKind.TRIAL_FINISHED: _trial_finished,
    EventKind.LOG: _log,
    EventKind.STATE: _state,
}
