"""`flowml train`: the run of a lane, seen from a terminal."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import psutil
import typer

from flowml.runner.listener import LaneOutcome
from flowml.runner.local import train
from flowml.storage.records import Control, JobSpec, JobState, LeaderboardRow
from flowml.storage.shown import harmless
from flowml.ui.cli.ending import CANCELLED
from flowml.ui.cli.plain import Plain

if TYPE_CHECKING:
    from flowml.ui.cli.live import Live

SHOWN_ROWS = 10
PROGRAM = "flowml"
LONGEST_START_S = 60.0  # even on the busiest of machines
BEGAN = 19  # place of a process's first moment, after its name, in what the system tells of it


def train_table(file: Path, spec: JobSpec, out: Path, as_json: bool, table: str = "") -> None:
    started, wish = process_started(), Wish()
    with wish, _view(file, spec, as_json, started) as view:
        outcome = train(file, spec, out, view, wish, started=started, table=table)
    if outcome.state is JobState.CANCELLED:
        typer.echo("Cancelled; nothing was written.", err=True)
        raise typer.Exit(CANCELLED)
    if as_json:
        typer.echo(json.dumps(summary(outcome, out)))
    else:
        _report(outcome, out)
    _leave()


def process_started() -> float:
    """The budget covers the whole command, so its clock began with this process, if it runs nothing else."""
    now = time.time()
    if not _is_program():
        return now
    age_s = _age_s() if sys.platform == "linux" else now - psutil.Process().create_time()
    return now - age_s if 0 < age_s < LONGEST_START_S else now


def _is_program() -> bool:
    return Path(sys.argv[0]).stem == PROGRAM


def _leave() -> None:
    """The process ends here: to take its libraries down would take longer, on the clock of the budget."""
    if _is_program():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _age_s() -> float:
    """Of this process, on the clock that runs since the system started: the wall clock may have been set."""
    began = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[BEGAN])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began / os.sysconf("SC_CLK_TCK")


def _view(file: Path, spec: JobSpec, as_json: bool, started: float) -> Plain | Live:
    """Redrawn on a terminal, else plain lines; beside JSON on stdout they go to stderr."""
    if as_json or not sys.stdout.isatty():
        stream = sys.stderr if as_json else sys.stdout
        return Plain(file.name, spec.target, spec.budget_s, started, stream=stream)
    from flowml.ui.cli.live import Live as Redrawn  # rich takes a moment to load

    return Redrawn(file.name, spec.target, spec.budget_s, started)


class Wish:
    """What the user asks by Ctrl-C: the first time to stop and keep the best, the second time to cancel."""

    def __init__(self) -> None:
        self._control: Control | None = None

    def __call__(self) -> Control | None:
        return self._control

    def __enter__(self) -> Wish:
        self._before = {
            signal.SIGINT: signal.signal(signal.SIGINT, self._interrupt),
            signal.SIGTERM: signal.signal(signal.SIGTERM, self._terminate),
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, action in self._before.items():
            signal.signal(number, action)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self._control is None:
            self._control = Control.STOP
            os.write(sys.stderr.fileno(), b"\nStopping; the best so far is kept. Ctrl-C again cancels.\n")
        else:
            self._control = Control.CANCEL

    def _terminate(self, _number: int, _frame: FrameType | None) -> None:
        self._control = Control.CANCEL


def summary(outcome: LaneOutcome, out: Path) -> dict[str, object]:
    """What `--json` prints."""
    best = champion_row(outcome)
    return {
        "model": str(out / "model.onnx"),
        "metric": best.metric,
        "score": best.score,
        "trials": sum(outcome.receipt.trials.values()),
        "used_s": round(outcome.receipt.used_s, 3),
        "champion": best.name,
        "state": outcome.state.value,
    }


def champion_row(outcome: LaneOutcome) -> LeaderboardRow:
    return next((row for row in outcome.leaderboard if row.champion), outcome.leaderboard[0])


def _report(outcome: LaneOutcome, out: Path) -> None:
    best, receipt = champion_row(outcome), outcome.receipt
    typer.echo()
    for row in outcome.leaderboard[:SHOWN_ROWS]:
        typer.echo(harmless(_line(row)))
    if (more := len(outcome.leaderboard) - SHOWN_ROWS) > 0:
        typer.echo(f"     and {more} more in {out / 'leaderboard.json'}")
    typer.echo()
    typer.secho(f"{best.name}: {best.metric} {best.score:#.5g}", bold=True)
    typer.echo(f"{receipt.used_s:.1f} s used of {receipt.budget_s:.0f} s. Written to {out}:")
    typer.echo("  model.onnx, leaderboard.json, receipt.json, explain.json, study.json, card.md, card.json")
    if compact := (outcome.champion or {}).get("compact"):
        size, score = compact["size_bytes"] / 1e6, compact["score"]
        typer.echo(f"  model.compact.onnx, {size:.2g} MB beside {best.size_bytes / 1e6:.2g} MB: {score:#.5g}")
    for note in receipt.notes:
        typer.echo(harmless(note))


def _line(row: LeaderboardRow) -> str:
    rank = "   -" if row.rank is None else f"{row.rank:4d}"
    score = row.state.value if row.score is None else f"{row.score:#.5g}"
    return f"{rank}  {row.name:<32.32}  {score:>10}  {row.fit_seconds:8.1f} s  {row.cause}".rstrip()
