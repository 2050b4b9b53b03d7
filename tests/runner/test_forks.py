from __future__ import annotations

import importlib
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import polars as pl
import psutil
import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.candidate import Candidate
from flowml.runner import forks, local
from flowml.runner.crew import Answered, Crew, Happening
from flowml.runner.fit import Silent
from flowml.runner.forks import forked_children
from flowml.runner.forkserver import CHILD_NAME, NAME, ForkServer, may_fork
from flowml.runner.preloading import without
from flowml.runner.waiting import wait_until
from flowml.storage import apart, intake
from flowml.storage.errors import BrokenFile
from flowml.storage.intake import Intake
from flowml.storage.records import JobSpec, JobState, Json, Task
from tests.automl.algorithms.folds import shape_of

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


def test_trials_do_without_what_is_not_loaded_for_them(file: Path, tmp_path: Path) -> None:
    tried = ("lightgbm", "xgboost", "catboost", "hist_gradient_boosting", "random_forest")
    table = tmp_path / "table.parquet"
    schema = intake.convert(file, "table.csv", table, 10**9).schema.to_dict()
    about: Json = {"table": str(table), "schema": schema, "spec": SPEC.to_dict(), "threads": 1}
    with forks.forked_children(), closing(Crew(1, 2**33)) as crew:
        assert wait_until(may_fork, 60)
        slot = crew.add()

        def answer(command: str, **fields: object) -> Json:
            slot.send(command, **fields)
            while True:
                for happening in crew.wait(60):
                    if isinstance(happening, Answered) and happening.answer["answer"] != "ready":
                        return happening.answer

        assert answer("prepare", **about)["answer"] == "prepared"
        for number, key in enumerate(tried):
            few = dict.fromkeys(("rounds", "trees"), 5)
            params = ALGORITHMS[key].defaults(shape_of(Task.BINARY, rows=200))
            params |= {name: value for name, value in few.items() if name in params}
            trial = Candidate(number, key, params).to_dict()
            said = answer("evaluate", candidate=trial, work=str(tmp_path), deadline_s=60.0, threads=1)
            assert (said["record"]["state"], said["record"]["cause"]) == ("complete", "")


def test_a_library_may_be_loaded_as_if_another_were_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with without(["colorsys", "json"]):
        assert importlib.import_module("json") is json
        with pytest.raises(ImportError):
            importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").rgb_to_hsv


SLOW = """
import pathlib, sys, time
from flowml.runner import forks, forkserver

def load(name, *_):
    while name == "asked" and not (asked or forkserver.has_news(line)):
        time.sleep(0.01)
    while name == "go" and not pathlib.Path({go!r}).exists():
        time.sleep(0.01)

def noted(*request):
    asked.append(request)
    fork(*request)

asked, fork, line = [], forkserver._fork, forks.socket.socket(fileno=int(sys.argv[1]))
forkserver._fork, forkserver.is_crowded = noted, lambda: True
forks.ENOUGH, forks.WANTED, forks.load = ("enough",), ("asked", "go"), load
forks.main()
"""


def test_where_loading_takes_long_one_child_comes_before_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    monkeypatch.setattr(forks, "PROGRAM", (sys.executable, "-c", SLOW.format(go=str(go))))
    with forks.forked_children(), closing(Crew(1, 2**31)) as crew:
        crew.add()
        assert CHILD_NAME in names()
        assert not may_fork()
        go.touch()
        assert wait_until(may_fork, 60)
        crew.add()
        ready: list[Happening] = []
        while len(ready) < 2:
            ready += crew.wait(60)
        assert all(isinstance(each, Answered) for each in ready)


def test_where_nothing_can_be_forked_children_are_programs(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forks, "PROGRAM", (sys.executable, "-c", "", "ends at once"))
    watching = Watching()
    outcome = local.train(file, SPEC, tmp_path / "out", watching)
    assert outcome.state is JobState.FINISHED
    assert CHILD_NAME not in watching.seen


def test_a_table_is_read_and_checked_by_forks_as_by_programs(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen(folder: Path) -> tuple[Intake, bytes, Json, str]:
        folder.mkdir()
        table = folder / "table.parquet"
        read = intake.convert(file, "table.csv", table, 10**9)
        about = {"path": str(table), "schema": read.schema.to_dict(), "spec": SPEC.to_dict()}
        with pytest.raises(BrokenFile) as broken:
            intake.convert(torn, "torn.parquet", folder / "torn", 10**9)
        return read, table.read_bytes(), apart.run("check", about, 60.0), str(broken.value)

    torn = tmp_path / "torn.parquet"
    torn.write_bytes(b"PAR1 and nothing that belongs there PAR1")
    fresh = seen(tmp_path / "fresh")
    with forked_children() as forked:
        assert forked
        monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))
        assert seen(tmp_path / "forked") == fresh


def test_a_large_file_is_read_by_a_fresh_process(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "FORKED_UP_TO", 10)
    with forked_children():
        monkeypatch.setattr(ForkServer, "fork", lambda *_: pytest.fail("it was forked"))
        assert intake.convert(file, "table.csv", tmp_path / "table.parquet", 10**9).rows == 200
