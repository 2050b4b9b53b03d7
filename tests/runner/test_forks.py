from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import psutil
import pytest

from flowml.runner import forks, local
from flowml.runner.fit import Silent
from flowml.runner.forkserver import CHILD_NAME, NAME
from flowml.storage.records import JobSpec, JobState

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked on other systems")

SPEC = JobSpec("y", budget_s=30, algorithms=("logistic",), max_trials=2, folds=2, seed=0)


class Watching(Silent):
    """What processes there are while trials run."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def stage(self, text: str) -> None:  # noqa: ARG002
        self.seen |= names()


def names() -> set[str]:
    """Of the processes that came from this one."""
    return {each.name() for each in psutil.Process().children(recursive=True)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    x = np.random.default_rng(0).normal(size=200)
    pl.DataFrame({"x": x, "y": np.where(x > 0, "yes", "no")}).write_csv(tmp_path / "table.csv")
    return tmp_path / "table.csv"


def test_children_of_a_training_are_forked_and_nothing_is_left(file: Path, tmp_path: Path) -> None:
    watching = Watching()
    outcome = local.train(file, SPEC, tmp_path / "out", watching)
    assert outcome.state is JobState.FINISHED
    assert {NAME, CHILD_NAME} <= watching.seen
    assert not {NAME, CHILD_NAME} & names()


def test_where_nothing_can_be_forked_children_are_programs(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forks, "PROGRAM", (sys.executable, "-c", "", "ends at once"))
    watching = Watching()
    outcome = local.train(file, SPEC, tmp_path / "out", watching)
    assert outcome.state is JobState.FINISHED
    assert CHILD_NAME not in watching.seen
