from __future__ import annotations

from flowml.storage.records import Event, EventKind, Level, TrialRecord, TrialState
from flowml.ui.watch import Watch


def trial(number: int, score: float | None = 0.8, state: TrialState = TrialState.COMPLETE) -> TrialRecord:
    return TrialRecord(number, "lightgbm", {"leaves": 31}, state, score=score, started_at=100.0, seconds=2.0)


def started(number: int, at: float = 200.0) -> Event:
    fields = {"number": number, "algorithm": "xgboost", "stage": "search"}
    return Event(EventKind.TRIAL_STARTED, at, fields, f"{at}-0")


def finished(number: int, score: float, at: float = 210.0) -> Event:
    fields = {"number": number, "algorithm": "xgboost", "state": "complete", "score": score, "seconds": 4.0}
    return Event(EventKind.TRIAL_FINISHED, at, {**fields, "score_std": None}, f"{at}-0")


def test_trials_of_the_database_and_of_events_are_told_once() -> None:
    watch = Watch.of("job", [trial(0), trial(1, state=TrialState.RUNNING)])
    assert list(watch.trials) == [0]
    assert list(watch.running) == [1]
    assert watch.fold([started(0), started(1), started(2), finished(1, 0.9), finished(0, 0.1)]) == 5
    assert {number: record.score for number, record in watch.trials.items()} == {0: 0.8, 1: 0.9}
    assert watch.trials[0].params == {"leaves": 31}
    assert watch.trials[1].started_at == 206.0
    assert list(watch.running) == [2]
    assert watch.cursor == "210.0-0"
    assert [line.message for line in watch.log] == [
        "Trial 1, XGBoost: 0.9000 in 4.0 s",
        "Trial 0, XGBoost: 0.1000 in 4.0 s",
    ]


def test_a_lost_trial_runs_again_and_an_old_start_does_not_revive_it() -> None:
    watch = Watch.of("job", [trial(3, None, TrialState.LOST)])
    watch.fold([started(3, at=100.2)])
    assert not watch.running
    watch.fold([started(3, at=300.0)])
    assert list(watch.running) == [3]
    watch.fold([finished(3, 0.7, at=310.0)])
    assert watch.trials[3].state is TrialState.COMPLETE
    assert not watch.running


def test_standings_follow_the_direction() -> None:
    watch = Watch.of("job", [trial(0, 0.8), trial(1, 0.9), trial(2, None, TrialState.FAILED), trial(3, 0.7)])
    assert [row.score for row in watch.standings("maximize")] == [0.9, 0.8, 0.7]
    assert [row.score for row in watch.standings("minimize", limit=2)] == [0.7, 0.8]
    assert [row.rank for row in watch.standings("maximize")] == [1, 2, 3]
    assert watch.count(TrialState.FAILED) == 1


def test_stage_clock_and_log() -> None:
    watch = Watch.of("job", [])
    watch.fold(
        [
            Event(EventKind.STAGE, 1.0, {"text": "Searching"}, "1-0"),
            Event(EventKind.STATE, 2.0, {"state": "running", "elapsed_s": 1.5}, "2-0"),
            Event(EventKind.LOG, 3.0, {"level": "error", "message": "no memory", "trial": 4}, "3-0"),
        ]
    )
    assert (watch.stage, watch.used_s, watch.told_at) == ("Searching", 1.5, 2.0)
    line = watch.log[0]
    assert (line.level, line.message, line.trial) == (Level.ERROR, "no memory", 4)


def told(kind: EventKind, at: float, **fields: object) -> Event:
    return Event(kind, at, fields, f"{at}-0")


def test_phases_are_told_by_the_clock_of_the_job_which_stands_still_in_a_pause() -> None:
    watch = Watch.of("job", [])
    assert watch.clock(100.0) is None
    watch.fold(
        [
            told(EventKind.STAGE, 100.0, text="Preparing"),
            told(EventKind.STATE, 104.0, state="running", elapsed_s=4.0),
            told(EventKind.STAGE, 105.0, text="Searching"),
            told(EventKind.STATE, 110.0, state="paused", elapsed_s=10.0),
        ]
    )
    assert watch.clock(500.0) == 10.0
    watch.fold([told(EventKind.STATE, 600.0, state="running", elapsed_s=10.0)])
    assert watch.clock(602.0) == 12.0
    assert watch.clock(900.0) == 15.0  # it is not guessed for long
    watch.fold(
        [told(EventKind.STAGE, 602.0, text="Building"), told(EventKind.STAGE, 603.0, text="Searching")]
    )
    assert [(phase.name, phase.seconds) for phase in watch.phases(20.0)] == [
        ("Preparing", 5.0),
        ("Searching", 14.0),
        ("Building", 1.0),
    ]


def test_a_trial_keeps_the_machine_that_it_was_begun_on() -> None:
    watch = Watch.of("job", [])
    watch.fold([told(EventKind.TRIAL_STARTED, 1.0, number=4, algorithm="ridge", worker="m2")])
    assert watch.running[4].worker == "m2"
    watch.fold([finished(4, 0.5)])
    assert watch.standings("maximize")[0].worker == "m2"


def test_every_kind_of_event_is_folded() -> None:
    fields = {"number": 1, "algorithm": "a", "text": "", "message": "", "level": "info", "state": "complete"}
    watch = Watch.of("job", [])
    assert watch.fold(Event(kind, 1.0, fields, "1-0") for kind in EventKind) == len(EventKind)
