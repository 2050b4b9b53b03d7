"""Trial children that are forked from a process which has its libraries loaded: they work like any other."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psutil
import pytest

from flowml.runner.forkserver import CHILD_NAME, NAME
from flowml.storage.records import JobSpec
from flowml.storage.schema import infer

POLARS = "polars-ooc-clea"  # its idle thread
AHEAD = Path(__file__).with_name("ahead.py")
TRIED = (
    "lightgbm",
    "xgboost",
    "catboost",
    "hist_gradient_boosting",
    "random_forest",
    "logistic",
    "svm",
    "mlp",
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked on other systems")


@pytest.fixture
def request_of(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """What the program is asked, on a small table."""

    def make(*algorithms: str, crashes: str = "") -> dict[str, Any]:
        draw = np.random.default_rng(0)
        x = draw.normal(size=(200, 3))
        frame = pl.DataFrame(
            {"a": x[:, 0], "b": x[:, 1], "hit": np.where(x[:, 0] + x[:, 2] > 0, "yes", "no")}
        )
        frame.write_parquet(tmp_path / "table.parquet")
        return {
            "prepare": {
                "table": str(tmp_path / "table.parquet"),
                "schema": infer(frame).to_dict(),
                "spec": JobSpec("hit", folds=2).to_dict(),
            },
            "algorithms": algorithms,
            "work": str(tmp_path / "work"),
            "crashes": crashes,
        }

    return make


@contextmanager
def program(scenario: str, request: dict[str, Any]) -> Iterator[tuple[subprocess.Popen[str], Iterator[Any]]]:
    """The process, and what it says."""
    process = subprocess.Popen(
        [sys.executable, str(AHEAD), scenario], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(request))
    process.stdin.close()
    try:
        yield process, map(json.loads, process.stdout)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_all_libraries_train_in_a_fork_and_come_to_the_same_as_in_a_program(
    request_of: Callable[..., dict[str, Any]],
) -> None:
    with program("alike", request_of(*TRIED)) as (_, said):
        assert next(said) == {"threads": [POLARS], "gpus": []}
        forked, started = said
    assert (forked["name"], forked["mine"]) == (CHILD_NAME, True)
    assert started["name"] != CHILD_NAME
    assert [record["algorithm"] for record in forked["records"]] == list(TRIED)
    for one, other in zip(forked["records"], started["records"], strict=True):
        assert one["state"] == "complete", one["cause"]
        assert one["fold_scores"] == other["fold_scores"], one["algorithm"]


def test_a_fork_that_dies_is_a_lost_trial_and_none_outlives_its_lane(
    request_of: Callable[..., dict[str, Any]],
) -> None:
    with program("falling", request_of("logistic", crashes="logistic")) as (lane, said):
        next(said)
        assert "SIGSEGV" in next(said)["cause"]
        assert "SIGKILL" in next(said)["cause"]
        left = next(said)
        family = [psutil.Process(pid) for pid in left["pids"]]
        lane.kill()
        _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []
    assert len(family) == 3
    assert {CHILD_NAME, NAME} < set(left["names"])  # and the program, which came when the server was gone
