"""What commands draw of a job while it runs: plain lines, and the picture that redraws itself."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from flowml.runner.listener import Summary
from flowml.storage.records import Task, TrialRecord, TrialState
from flowml.ui.cli.live import Live
from flowml.ui.cli.plain import Plain

SUMMARY = Summary(Task.BINARY, "", "roc_auc", "maximize", "", 400, 3)


def test_a_paused_job_is_said_so_and_its_clock_stands_still() -> None:
    said = io.StringIO()
    view = Plain("t.csv", "y", 60.0, time.time() - 50, stream=said)
    assert view.elapsed_s >= 50
    view.progress(state="running", elapsed_s=10.0)
    assert 10 <= view.elapsed_s < 50
    view.progress(state="running", elapsed_s=10.0, at=time.time() - 100)  # told long ago
    assert view.elapsed_s >= 110
    view.progress(state="paused", elapsed_s=11.5)
    assert view.elapsed_s == 11.5
    view.progress(state="paused", elapsed_s=11.5)
    view.progress(state="running", elapsed_s=11.5)
    view.at = view.told_at + 3.0  # what is told now happened so long after
    assert view.elapsed_s == pytest.approx(14.5)
    assert [line.split("s  ")[1] for line in said.getvalue().splitlines()] == ["Paused", "Going on"]


def test_the_picture_tells_of_the_clock_the_best_and_the_leaders() -> None:
    console = Console(file=io.StringIO(), width=100, record=True)
    view = Live("t.csv", "y", 60.0, console=console)
    view.prepared(SUMMARY)
    for number, score in enumerate((0.7, 0.9)):
        trial = TrialRecord(number, "lightgbm", {}, TrialState.COMPLETE, score=score, seconds=2.0)
        view.trial_started(trial)  # type: ignore[arg-type]
        view.trial_finished(trial, score)
    view.progress(state="paused", elapsed_s=20.0)
    console.print(view.draw())
    shown = console.export_text()
    assert "t.csv → y: binary, 400 rows, 3 columns, roc_auc (higher is better)" in shown
    assert "40 s left of 60 s" in shown
    assert "Paused" in shown
    assert "best roc_auc 0.90000   2 trials, 0 running" in shown
    assert shown.count("lightgbm") == 1
