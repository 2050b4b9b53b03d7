"""A lane with real children on a small table. What the planted child does badly ends in rows with causes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psutil
import pytest

from flowml.runner.helpers import NoHelpers
from flowml.runner.lane import Lane
from flowml.runner.listener import Candidate, Summary
from flowml.storage.records import Control, Finding, JobSpec, JobState, Level, TrialRecord, TrialState
from flowml.storage.schema import infer

PLANTED = Path(__file__).with_name("planted.py")
GIB = 2**30
QUICK = ("logistic", "lightgbm")
ROWS = 240
FINISHING = "Building the final model"
OPTIONS = ("child", "memory_limit", "slots", "helpers")  # of a lane; else of the job
BASELINE = 1  # a trial that no limit counts


class Remembering:
    """A listener that keeps all it hears."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.lines: list[tuple[Level, str]] = []
        self.started: list[int] = []
        self.ended: list[TrialRecord] = []
        self.told: list[dict[str, Any]] = []
        self.summary: Summary | None = None
        self.bests: list[float | None] = []
        self.findings: tuple[Finding, ...] = ()

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def log(self, level: Level, text: str, trial: int | None = None) -> None:
        self.lines.append((level, text if trial is None else f"{trial}: {text}"))

    def prepared(self, summary: Summary) -> None:
        self.summary = summary

    def noticed(self, findings: tuple[Finding, ...]) -> None:
        self.findings += findings

    def resumed(self, records: Sequence[TrialRecord]) -> None:
        self.resumed_with = records

    def trial_started(self, candidate: Candidate, worker: str = "") -> None:  # noqa: ARG002
        self.started.append(candidate.number)

    def trial_finished(self, record: TrialRecord, best_score: float | None) -> None:
        self.ended.append(record)
        self.bests.append(best_score)

    def progress(self, **fields: str | float | int) -> None:
        self.told.append(fields)

    def record(self, algorithm: str) -> TrialRecord:
        return next(record for record in self.ended if record.algorithm == algorithm)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(ROWS, 3))
    path = tmp_path_factory.mktemp("table") / "table.parquet"
    frame = pl.DataFrame(x, schema=["a", "b", "c"]).with_columns(
        pl.Series("kind", draw.choice(["red", "green"], ROWS)),
        pl.Series("hit", np.where(x[:, 0] + draw.normal(size=ROWS) / 2 > 0, "yes", "no")),
    )
    frame.write_parquet(path)
    return path


@pytest.fixture
def listener() -> Remembering:
    return Remembering()


@pytest.fixture
def lane(table: Path, tmp_path: Path, listener: Remembering) -> Callable[..., Lane]:
    schema = infer(pl.read_parquet(table))

    def make(control: Callable[[], Control | None] = lambda: None, **changes: Any) -> Lane:
        options = {name: changes.pop(name) for name in OPTIONS if name in changes}
        spec = JobSpec("hit", **{"budget_s": 6.0, "algorithms": QUICK, **changes})
        return Lane(table, schema, spec, tmp_path / "work", listener, control, **options)

    return make


def planted(finish: str = "sound", fits: str = "common") -> tuple[str, ...]:
    return (sys.executable, str(PLANTED), finish, fits)


def no_children_left() -> bool:
    return not [c for c in psutil.Process().children() if "flowml.runner.child" in " ".join(c.cmdline())]


def test_a_job_ends_with_a_model_on_time(
    lane: Callable[..., Lane], listener: Remembering, tmp_path: Path
) -> None:
    began = time.monotonic()
    outcome = lane(budget_s=7.0).run()
    assert time.monotonic() - began < 7.0 + 3.0
    assert outcome.state is JobState.FINISHED, outcome.cause
    assert (tmp_path / "work" / "champion" / "model.onnx").stat().st_size > 0
    assert listener.summary is not None
    assert listener.summary.metric == "roc_auc"
    assert sorted(record.number for record in listener.ended) == sorted(listener.started)
    assert len(set(listener.started)) == len(listener.started)
    assert listener.record("dummy").stage == "baseline"
    assert outcome.leaderboard[0].rank == 1
    assert sum(outcome.receipt.trials.values()) == len(listener.ended)
    assert sum(phase.seconds for phase in outcome.receipt.phases) == pytest.approx(
        outcome.receipt.used_s, abs=0.1
    )
    assert [told["state"] for told in listener.told][-1] == "finishing"
    known = [best for best in listener.bests if best is not None]
    assert known == sorted(known)
    assert no_children_left()


def test_the_table_is_checked_beside_the_search_and_the_card_says_what_was_noticed(
    table: Path, listener: Remembering, tmp_path: Path
) -> None:
    frame = pl.read_parquet(table).with_columns(result=pl.col("hit").replace({"yes": "1", "no": "0"}))
    frame.write_parquet(tmp_path / "leaky.parquet")
    spec = JobSpec("hit", budget_s=60.0, algorithms=QUICK, max_trials=2)
    outcome = Lane(
        tmp_path / "leaky.parquet", infer(frame), spec, tmp_path / "work", listener, lambda: None
    ).run()
    assert [finding.kind for finding in listener.findings] == ["target_copy"]
    assert outcome.findings == listener.findings
    assert outcome.champion is not None
    assert "target_copy" in {finding["kind"] for finding in outcome.champion["card"]["findings"]}
    assert "seems to be made from it" in (tmp_path / "work" / "champion" / "card.md").read_text()


def test_a_budget_of_three_seconds_still_gives_a_model(lane: Callable[..., Lane], tmp_path: Path) -> None:
    outcome = lane(budget_s=3.0).run()
    assert outcome.state is JobState.FINISHED, outcome.cause
    assert (tmp_path / "work" / "champion" / "model.onnx").is_file()


def test_trials_that_hang_hoard_or_crash_are_rows_with_causes(
    lane: Callable[..., Lane], listener: Remembering
) -> None:
    began = time.monotonic()
    bad = ("extra_trees", "random_forest", "xgboost")
    job = lane(
        budget_s=16.0,
        algorithms=("logistic", *bad),
        trials_per_algorithm=1,
        child=planted(),
        memory_limit=int(1.2 * GIB),
        slots=2,
    )
    outcome = job.run()
    assert outcome.state is JobState.FINISHED, outcome.cause
    assert time.monotonic() - began < 16.0 + 4.0
    words = {"extra_trees": "outran its time", "random_forest": "outran its memory", "xgboost": "SIGSEGV"}
    for algorithm, word in words.items():
        record = listener.record(algorithm)
        assert record.state in (TrialState.FAILED, TrialState.PRUNED)
        assert word in record.cause or record.state is TrialState.PRUNED
        assert record.advice or record.state is TrialState.PRUNED
    assert listener.record("logistic").state is TrialState.COMPLETE
    unranked = {row.algorithm: row.cause for row in outcome.leaderboard if row.rank is None}
    assert set(bad) <= set(unranked)
    assert all(unranked.values())


def test_where_nothing_can_be_completed_a_job_ends_soon_after_its_time(
    lane: Callable[..., Lane], listener: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowml.runner.lane.FIRST_TRIAL_S", 1.0)
    many = ("logistic", "extra_trees", "random_forest", "xgboost", "lightgbm", "catboost", "mlp", "svm")
    outcome = lane(budget_s=4.0, algorithms=many, child=planted(fits="hopeless"), slots=1).run()
    assert outcome.state is JobState.FAILED
    assert "The first, Baseline" in outcome.cause
    assert len(listener.ended) <= 3  # what comes next would begin after the time


def test_nothing_that_a_trial_does_to_its_process_reaches_the_lane(
    lane: Callable[..., Lane], listener: Remembering
) -> None:
    words = {"extra_trees": "SIGABRT", "random_forest": "closed the pipe", "xgboost": "SystemExit"}
    planted_ones = {"algorithms": ("logistic", *words), "child": planted(fits="rare")}
    job = lane(budget_s=150.0, trials_per_algorithm=1, **planted_ones)
    outcome = job.run()
    assert outcome.state is JobState.FINISHED, outcome.cause
    for algorithm, word in words.items():
        record = listener.record(algorithm)
        assert record.state is TrialState.FAILED
        assert word in record.cause
        assert record.advice
    assert listener.record("logistic").state is TrialState.COMPLETE
    assert no_children_left()


@pytest.mark.parametrize(
    ("finish", "kept"),
    [
        ("stumble", "best single model was kept"),
        ("freeze", "best single model was kept"),
        ("stall", "kept as it was exported"),
    ],
)
def test_a_finish_that_dies_or_hangs_leaves_the_best_model_that_is_written(
    finish: str, kept: str, lane: Callable[..., Lane], tmp_path: Path
) -> None:
    began = time.monotonic()
    outcome = lane(budget_s=8.0, algorithms=("logistic",), child=planted(finish), max_trials=2).run()
    assert outcome.state is JobState.FINISHED, outcome.cause
    assert time.monotonic() - began < 8.0 + 3.0
    assert outcome.champion is not None
    assert outcome.champion["algorithm"] == "logistic"
    assert (tmp_path / "work" / "champion" / "model.onnx").is_file()
    assert any(kept in note for note in outcome.receipt.notes)
    assert outcome.receipt.cut == ("explanations: no time was left",)


def test_where_no_model_was_built_the_lightest_is_tried(lane: Callable[..., Lane]) -> None:
    outcome = lane(budget_s=8.0, algorithms=("logistic",), child=planted("burden"), max_trials=2).run()
    assert outcome.state is JobState.FINISHED, outcome.cause
    assert outcome.champion is not None


def test_stop_keeps_the_best(lane: Callable[..., Lane], listener: Remembering) -> None:
    asked: list[float] = []

    def control() -> Control | None:
        if len(listener.ended) >= 2 and not asked:
            asked.append(time.monotonic())
        return Control.STOP if asked else None

    outcome = lane(control, budget_s=120.0, algorithms=("logistic", "extra_trees")).run()
    assert outcome.state is JobState.STOPPED, outcome.cause
    assert outcome.champion is not None
    assert time.monotonic() - asked[0] < 10.0


def test_cancel_ends_within_two_seconds(lane: Callable[..., Lane], listener: Remembering) -> None:
    asked: list[float] = []

    def control() -> Control | None:
        if listener.started and not asked:
            asked.append(time.monotonic())
        return Control.CANCEL if asked else None

    outcome = lane(control, budget_s=120.0).run()
    assert outcome.state is JobState.CANCELLED
    assert outcome.champion is None
    assert time.monotonic() - asked[0] < 2.0
    assert no_children_left()


class Hungry(NoHelpers):
    """Helpers that use up candidates as fast as they are decided on."""

    has_room = True

    def room(self, _kind: str) -> int:
        return 1


def test_a_lead_whose_helpers_never_have_enough_still_obeys(
    lane: Callable[..., Lane], listener: Remembering
) -> None:
    def wish() -> Control | None:
        done = any(record.state is TrialState.COMPLETE for record in listener.ended)
        return Control.CANCEL if done else None

    outcome = lane(wish, budget_s=60.0, helpers=Hungry()).run()
    assert outcome.state is JobState.CANCELLED


def test_while_paused_nothing_starts_and_the_clock_stands(
    lane: Callable[..., Lane], listener: Remembering
) -> None:
    asked: list[float] = []
    started: list[int] = []

    def control() -> Control | None:
        asked.append(time.monotonic())
        if asked[-1] - asked[0] > 3.0:
            return None
        started.append(len(listener.started))
        return Control.PAUSE

    began = time.monotonic()

    outcome = lane(control, budget_s=8.0, algorithms=("logistic",), max_trials=6).run()
    assert outcome.state is JobState.FINISHED, outcome.cause
    assert "paused" in [told["state"] for told in listener.told]
    assert set(started) == {0}
    assert outcome.receipt.used_s < time.monotonic() - began - 1.5
    assert len(listener.ended) == BASELINE + 6


def test_a_job_that_is_finishing_is_not_paused(lane: Callable[..., Lane], listener: Remembering) -> None:
    def control() -> Control | None:
        return Control.PAUSE if FINISHING in listener.stages else None

    outcome = lane(control, budget_s=8.0, algorithms=("logistic",), max_trials=2).run()
    assert outcome.state is JobState.FINISHED, outcome.cause
    assert "paused" not in [told["state"] for told in listener.told]


def test_a_wrong_job_fails_with_its_cause(lane: Callable[..., Lane]) -> None:
    outcome = lane(algorithms=("magic",)).run()
    assert outcome.state is JobState.FAILED
    assert outcome.code == "spec"
    assert "magic" in outcome.cause
    assert outcome.advice


def test_a_child_that_never_comes_up_fails_the_job(lane: Callable[..., Lane]) -> None:
    outcome = lane(child=(sys.executable, "-c", "import os; os.abort()")).run()
    assert outcome.state is JobState.FAILED
    assert outcome.code == "trial_crashed"


LEADER = """
import sys
from pathlib import Path
import polars as pl
from flowml.runner.helpers import NoHelpers
from flowml.runner.lane import Lane
from flowml.runner.fit import Silent
from flowml.storage.records import JobSpec
from flowml.storage.schema import infer
table, work = Path(sys.argv[1]), Path(sys.argv[2])
spec = JobSpec("hit", budget_s=60.0, algorithms=("logistic",), max_trials=8)
Lane(table, infer(pl.read_parquet(table)), spec, work, Silent()).run()
"""


def test_a_killed_lane_takes_its_children_along_and_the_next_goes_on(
    table: Path, lane: Callable[..., Lane], listener: Remembering, tmp_path: Path
) -> None:
    leader = subprocess.Popen([sys.executable, "-c", LEADER, str(table), str(tmp_path / "work")])
    journal = tmp_path / "work" / "journal.jsonl"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (not journal.exists() or journal.read_text().count('"trial"') < 3):
        time.sleep(0.05)
    children = psutil.Process(leader.pid).children()
    os.kill(leader.pid, signal.SIGKILL)
    leader.wait()
    assert children
    _, alive = psutil.wait_procs(children, timeout=20)
    assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []
    before = journal.read_text().count('"trial"')
    outcome = lane(budget_s=60.0, algorithms=("logistic",), max_trials=8).run()
    assert outcome.state is JobState.FINISHED, outcome.cause
    assert len(listener.ended) == BASELINE + 8 - before
    trials = [row.trial for row in outcome.leaderboard if row.trial is not None]
    assert len(trials) == len(set(trials)) == BASELINE + 8
    assert outcome.receipt.phases[0].name == "earlier"
    assert outcome.receipt.used_s > outcome.receipt.phases[0].seconds > 0
