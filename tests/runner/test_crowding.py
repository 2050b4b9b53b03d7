"""The pace of a job, from what the system counts of its processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from flowml.runner import crowding
from flowml.runner.crowding import ORDINARY, OWN_CROWD, Crowding, Turn, slowness, turn_of


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> dict[int, Turn]:
    found: dict[int, Turn] = {}
    monkeypatch.setattr(crowding, "turn_of", found.get)
    return found


def test_a_process_that_waits_longer_than_it_computes_tells_of_a_crowd(turns: dict[int, Turn]) -> None:
    seen = Crowding(slow=1.0)
    turns[1] = Turn(1.0, 3.0)
    seen.look([1, 2])
    assert seen.pace == pytest.approx(4.0 / OWN_CROWD)
    turns[1], turns[2] = Turn(2.0, 6.0), Turn(2.0, 10.0)
    seen.look([1, 2])
    assert seen.pace == pytest.approx((1 + 16 / 4) / OWN_CROWD, rel=0.01)


def test_what_was_seen_long_ago_counts_less(turns: dict[int, Turn]) -> None:
    seen = Crowding(slow=1.0)
    turns[1] = Turn(5.0, 45.0)
    seen.look([1])
    before = seen.pace
    seen._at -= 60.0  # a minute goes by
    turns[1] = Turn(15.0, 45.0)
    seen.look([1])
    assert before == pytest.approx(10.0 / OWN_CROWD)
    assert seen.pace == 1.0


def test_what_a_training_waits_for_itself_is_the_ordinary_pace(turns: dict[int, Turn]) -> None:
    seen = Crowding(slow=1.2)
    assert seen.pace == 1.0
    turns[1] = Turn(10.0, 4.0)
    seen.look([1])
    assert seen.pace == 1.0


def test_slow_cores_and_a_crowd_go_together(turns: dict[int, Turn]) -> None:
    seen = Crowding(slow=2.0)
    turns[1] = Turn(1.0, 2.0)
    seen.look([1])
    assert seen.pace == pytest.approx(2.0 / ORDINARY * 3.0 / OWN_CROWD)


def test_a_core_is_measured() -> None:
    assert 0.05 < slowness() < 50


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not count it")
def test_the_system_counts_what_a_process_computes() -> None:
    before = turn_of(os.getpid())
    assert before is not None
    sum(range(3_000_000))
    after = turn_of(os.getpid())
    assert after is not None
    assert after.ran_s > before.ran_s
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert turn_of(ended.pid) is None
