"""The time budget as a bar: what is used while a job runs, and which phase used it once it has ended."""

from __future__ import annotations

from collections.abc import Sequence

from flowml.storage.records import Phase, Receipt
from flowml.ui import words
from flowml.ui.components import frontend

_render = frontend.load("budget")


def running(used_s: float, budget_s: float, stage: str, key: str, phases: Sequence[Phase] = ()) -> None:
    """`phases` are those until now, the last of which goes on."""
    left = budget_s - used_s
    clock = f"{words.clock(left)} left" if left >= 0 else f"{words.duration(-left)} over"
    _show(
        phases or (Phase("Used", min(used_s, budget_s)),),
        budget_s,
        used_s,
        f"{words.clock(used_s)} of {words.clock(budget_s)}",
        f"{stage} · {clock}" if stage else clock,
        key,
        legend=bool(phases),
    )


def cut_short(used_s: float, budget_s: float, key: str) -> None:
    """A job that ended without a receipt."""
    _show(
        (Phase("Used", min(used_s, budget_s)),),
        budget_s,
        used_s,
        f"{words.clock(used_s)} of {words.clock(budget_s)}",
        "ended before the budget was used",
        key,
        legend=False,
    )


def ended(receipt: Receipt, key: str) -> None:
    saved = receipt.budget_s - receipt.used_s
    spare = f"{words.duration(saved)} not needed" if saved >= 1 else ""
    over = f"{words.duration(-saved)} over" if saved <= -1 else ""
    _show(
        receipt.phases or (Phase("Used", receipt.used_s),),
        receipt.budget_s,
        receipt.used_s,
        f"{words.duration(receipt.used_s)} of {words.duration(receipt.budget_s)}",
        spare or over or "on time",
        key,
        legend=True,
    )


def _show(
    phases: Sequence[Phase], budget_s: float, used_s: float, left: str, right: str, key: str, *, legend: bool
) -> None:
    parts = [
        {
            "name": words.sentence(phase.name).rstrip("."),
            "seconds": phase.seconds,
            "text": words.duration(phase.seconds),
        }
        for phase in phases
        if phase.seconds >= 0.05
    ]
    _render(
        key=f"budget-{key}",
        data={
            "budget": budget_s,
            "used": used_s,
            "left": left,
            "right": right,
            "alt": "Time budget",
            "phases": parts,
            "legend": legend,
        },
    )
