"""How a worker was in the last minutes: a small line each for CPU, memory and GPUs, with the value now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from flowml.storage.records import Json, Moment, Worker
from flowml.ui import words
from flowml.ui.components import frontend

Point: TypeAlias = tuple[float, float]

_render = frontend.load("sparks")

SHOWN_S = 600.0
GAP_S = 30.0  # without a heartbeat for so long, the line is broken
WARM = 85.0  # degrees Celsius
HOTTEST = 100.0


def show(worker: Worker, history: Sequence[Moment]) -> None:
    _render(key=f"sparks-{worker.name}", data={"sparks": sparks(worker, history)})


def sparks(worker: Worker, history: Sequence[Moment]) -> list[Json]:
    """A row for each figure that the worker tells; `stretches` hold points from 0 to 1 in both directions."""
    machine, now = worker.capabilities, max([worker.heartbeat, *(moment.at for moment in history)])
    vram = sum(gpu.vram_total for gpu in machine.gpus)
    rows: list[tuple[str, Callable[[Moment], float | None], float, Callable[[float], str], str]] = [
        ("CPU", lambda moment: moment.cpu, 100.0, _percent, f"of {words.plural(machine.cpus, 'core')}"),
        (
            "Memory",
            lambda moment: moment.memory,
            machine.ram_total,
            _of(machine.ram_total),
            "of the whole machine",
        ),
        ("GPU", lambda moment: moment.gpu, 100.0, _percent, "the busiest card"),
        ("VRAM", lambda moment: moment.vram, vram, _of(vram), "all cards together"),
        ("Temperature", lambda moment: moment.temperature, HOTTEST, _degrees, "the hottest card"),
    ]
    found = []
    for label, value_of, most, written, title in rows:
        known = [(moment.at, value) for moment in history if (value := value_of(moment)) is not None]
        if known and most:
            last = known[-1][1]
            found.append(
                {
                    "label": label,
                    "value": written(last),
                    "title": f"{label}, {title}, in the last {words.duration(SHOWN_S)}",
                    "warm": label == "Temperature" and last >= WARM,
                    "stretches": stretches(known, now, most),
                }
            )
    return found


def stretches(known: Sequence[Point], now: float, most: float) -> list[list[Point]]:
    """Points of the last minutes as shares of the time and of the most, cut where nothing was heard."""
    found: list[list[Point]] = []
    before = float("-inf")
    for at, value in known:
        if at < now - SHOWN_S:
            continue
        if at - before > GAP_S:
            found.append([])
        found[-1].append((round(1 - (now - at) / SHOWN_S, 4), round(min(1.0, max(0.0, value / most)), 4)))
        before = at
    return found


def _percent(value: float) -> str:
    return f"{value:.0f} %"


def _degrees(value: float) -> str:
    return f"{value:.0f} °C"


def _of(most: float) -> Callable[[float], str]:
    return lambda value: f"{words.size(value)} of {words.size(most)}"
