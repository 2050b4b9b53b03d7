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
    LeaderboardRow,
    Level,
    LogLine,
    TrialRecord,
    TrialState,
)
from flowml.ui import catalog, words

LOG_LINES = 300
SAME_START_S = 1.0  # an event and the record of the same start differ by less


@dataclass(frozen=True)
class Running:
    """A trial that has started and not ended."""

    number: int
    algorithm: str
    stage: str
    started_at: float


@dataclass
class Watch:
    job_id: str
    cursor: str = "0"
    stage: str = ""
    used_s: float | None = None  # as the lane's own clock last told
    told_at: float = 0.0
    trials: dict[int, TrialRecord] = field(default_factory=dict)
    running: dict[int, Running] = field(default_factory=dict)
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))

    @classmethod
    def of(cls, job_id: str, trials: Iterable[TrialRecord]) -> Watch:
        watch = cls(job_id)
        for trial in trials:
            if trial.state is TrialState.RUNNING:
                begun = Running(trial.number, trial.algorithm, trial.stage, trial.started_at)
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
        return [_row(rank, trial) for rank, trial in enumerate(best, start=1)]

    def count(self, state: TrialState) -> int:
        return sum(1 for trial in self.trials.values() if trial.state is state)


def _row(rank: int, trial: TrialRecord) -> LeaderboardRow:
    return LeaderboardRow(
        rank=rank,
        name="",
        algorithm=trial.algorithm,
        score=trial.score,
        score_std=trial.score_std,
        metric=trial.metric,
        fit_seconds=trial.fit_seconds,
        latency_ms=trial.predict_seconds * 1000 or None,
        size_bytes=trial.size_bytes,
        state=trial.state,
        trial=trial.number,
        fold_scores=trial.fold_scores,
        params=trial.params,
        stage=trial.stage,
        seconds=trial.seconds,
    )


def _stage(watch: Watch, event: Event) -> None:
    watch.stage = str(event.fields.get("text", ""))


def _trial_started(watch: Watch, event: Event) -> None:
    told = event.fields
    number = int(told["number"])
    known = watch.trials.get(number)
    if known is None or (known.state is TrialState.LOST and known.started_at < event.at - SAME_START_S):
        watch.running[number] = Running(
            number, str(told.get("algorithm", "")), str(told.get("stage", "")), event.at
        )


def _trial_finished(watch: Watch, event: Event) -> None:
    told = {name: value for name, value in event.fields.items() if value is not None}
    began = event.at - float(told.get("seconds", 0.0))
    trial = TrialRecord.from_dict({"params": {}, "started_at": began, **told})
    watch.running.pop(trial.number, None)
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
