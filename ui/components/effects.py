"""What changed the answer: each value that is not typical, and what would be said with the typical one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from flowml.storage.records import Json, Model, Task
from flowml.ui import session, words
from flowml.ui.components import predict_form

MOST = 20  # values that are each set back


@dataclass(frozen=True)
class Effect:
    """By how much one value moves the answer, by itself."""

    column: str
    typical: object
    now: object
    by: float


@dataclass(frozen=True)
class Answer:
    """What is said of one row, and why not what is said of the typical one."""

    value: Any
    shares: Mapping[str, float]  # by class; empty for numbers
    level: float  # the number itself, or the probability of the class that is predicted
    before: float | None  # the same of the typical row; None where that is the row
    effects: tuple[Effect, ...]
    more: int  # values that differ beyond those that were set back
    warnings: tuple[str, ...]


def ask(model: Model, row: Json) -> Answer:
    """The row, the typical row, and the row with one value after another set back, in one question."""
    typical = {field.name: field.typical for field in predict_form.fields(model)}
    changed = [name for name in typical if not same(row.get(name), typical[name])]
    back = [row | {name: typical[name]} for name in changed[:MOST]]
    found = session.studio().serving.predict(model.id, [row, typical, *back])
    told = found.to_dicts()
    levels = _levels(told, model)
    effects = [
        Effect(name, typical[name], row.get(name), levels[0] - level)
        for name, level in zip(changed[:MOST], levels[2:], strict=True)
    ]
    return Answer(
        told[0]["prediction"],
        told[0].get("probability", {}),
        levels[0],
        levels[1] if changed else None,
        tuple(sorted(effects, key=lambda effect: -abs(effect.by))),
        max(0, len(changed) - MOST),
        tuple(f"{each.column}: {each.message}" for each in found.warnings if each.row in (0, None)),
    )


def _levels(told: Sequence[Json], model: Model) -> list[float]:
    if model.task is Task.REGRESSION:
        return [float(each["prediction"]) for each in told]
    label = label_of(told[0]["prediction"])
    return [float(each["probability"][label]) for each in told]


def label_of(value: object) -> str:
    """A class as it is named among the probabilities."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def same(one: object, other: object) -> bool:
    """Whether two values of a form are one: dates may come as text."""
    if one in (None, "") and other in (None, ""):
        return True
    return one == other or str(one) == str(other)


def moved(by: float, model: Model) -> str:
    """An effect as it is written: in units of the target, or in points of a percentage."""
    if model.task is Task.REGRESSION:
        return f"{'+' if by >= 0 else '−'}{words.number(abs(by))}"
    return f"{'+' if by >= 0 else '−'}{abs(by) * 100:.1f} points"


def view(model: Model, answer: Answer) -> None:
    """The largest first; nothing where the row is the typical one."""
    if answer.before is None:
        st.caption("All values are typical ones. Change some to see what they change in the answer.")
        return
    st.markdown("**What changed the answer**")
    label = words.plain(words.short(label_of(answer.value), 40))
    what = "the value" if model.task is Task.REGRESSION else f"the probability of {label}"
    st.table(
        {
            "Column": [words.plain(words.short(each.column, 40)) for each in answer.effects],
            "Typical": [_cell(each.typical) for each in answer.effects],
            "Now": [_cell(each.now) for each in answer.effects],
            "Moves it by": [moved(each.by, model) for each in answer.effects],
        },
        border="horizontal",
        hide_index=True,
        alt="What each changed value adds to the answer",
    )
    more = f" {words.plural(answer.more, 'more value')} differ too." if answer.more else ""
    st.caption(f"By how much {what} would move back if that value alone were typical again.{more}")


def _cell(value: object) -> str:
    if value in (None, ""):
        return ":gray[missing]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return words.number(value)
    return words.plain(words.short(value, 40))
