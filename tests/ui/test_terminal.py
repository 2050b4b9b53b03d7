"""What commands draw of a job while it runs: plain lines, and the picture that redraws itself."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest
import typer
from rich.console import Console

from flowml.runner.listener import Summary
from flowml.storage.errors import InputError
from flowml.storage.records import Level, Task, TrialRecord, TrialState
from flowml.ui.api.bodies.operate import LogLineAnswer
from flowml.ui.cli.asking import done, show, show_one
from flowml.ui.cli.ending import ended
from flowml.ui.cli.live import Live
from flowml.ui.cli.logs import written
from flowml.ui.cli.plain import Plain

HOSTILE = "a\x1b]0;b\x07\x9b2J\u202ec"  # a terminal would take a part of it for an order
HARMLESS = "a�]0;b��2J�c"
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


def test_what_others_wrote_orders_the_terminal_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def said(tell: Callable[[], object]) -> str:
        tell()
        return "".join(capsys.readouterr())

    def refuse() -> None:
        with pytest.raises(typer.Exit), ended():
            raise InputError(f"There is no {HOSTILE}.", f"There is {HOSTILE}.")

    line = LogLineAnswer(at=0.0, level=Level.INFO, source="w", message=HOSTILE, job_id="", trial=None)
    columns = ((HOSTILE, str),)
    assert said(lambda: show([HOSTILE], columns, False)).count(HARMLESS) == 2
    assert HARMLESS in said(lambda: show_one(HOSTILE, (("name", str),), False))
    assert HARMLESS in said(lambda: done(HOSTILE, False))
    assert said(refuse).count(HARMLESS) == 2
    assert HARMLESS in written(line)
    assert HARMLESS in said(lambda: Plain(HOSTILE, "y", 60.0).log(Level.WARNING, HOSTILE))
    console = Console(file=io.StringIO(), width=100, record=True)
    console.print(Live(HOSTILE, "y", 60.0, console=console).draw())
    assert HARMLESS in console.export_text()


def test_a_narrow_terminal_does_not_break_an_id(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("FORCE_COLOR", "1")
    id = "dataset-1m8ppmhk6vy4ddfj2f2p"
    long = (("NAME", lambda _: "n" * 25), ("FROM", lambda _: "f" * 25))
    show([id], (("ID", str), *long), False)
    assert id in capsys.readouterr().out
