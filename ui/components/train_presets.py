"""Sets of choices for the Train page, and the choices of a job that is cloned."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from flowml.storage.records import JobSpec
from flowml.ui import session, words
from flowml.ui.session import Key

MB = 1e6
USUAL_MB = 20.0  # of a model's file
BUDGETS_S = (30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)
CUSTOM = "Other"
LIGHT = ("logistic", "ridge", "lasso", "elastic_net", "decision_tree", "lightgbm")
BOOSTED = ("logistic", "ridge", "random_forest", "hist_gradient_boosting", "lightgbm", "xgboost", "catboost")


@dataclass(frozen=True)
class Preset:
    label: str
    help: str
    budget_s: float
    algorithms: tuple[str, ...] = ()  # all if empty
    latency_ms: float | None = None
    size_mb: float | None = USUAL_MB


PRESETS = {
    preset.label: preset
    for preset in (
        Preset("Quick look", "30 seconds: is there anything to learn?", 30.0, BOOSTED),
        Preset("Balanced", "5 minutes with everything.", 300.0),
        Preset("Thorough", "30 minutes with everything, for a model that stays.", 1800.0),
        Preset("Small and fast", "5 minutes; answers within 1 ms, fits into 1 MB.", 300.0, LIGHT, 1.0, 1.0),
    )
}


def budgets() -> dict[str, float]:
    """Label -> seconds of those that are offered here."""
    longest = session.studio().settings.longest_budget
    return {words.duration(seconds): seconds for seconds in BUDGETS_S if seconds <= longest}


def choose(offered: list[str]) -> None:
    """Pills that set the other choices; `offered` are the keys of the algorithms of the task."""
    st.pills(
        "Presets",
        list(PRESETS),
        key="preset",
        help="\n\n".join(f"**{row.label}**: {row.help}" for row in PRESETS.values()),
        on_change=_apply,
        args=(offered,),
    )


def _apply(offered: list[str]) -> None:
    chosen = PRESETS.get(st.session_state.get("preset") or "")
    if chosen is None:
        return
    _budget(min(chosen.budget_s, session.studio().settings.longest_budget))
    st.session_state["algorithms"] = [
        key for key in offered if not chosen.algorithms or key in chosen.algorithms
    ]
    st.session_state["latency"] = chosen.latency_ms
    st.session_state["size"] = chosen.size_mb


def take_over(job_id: str, spec: JobSpec, offered: list[str]) -> None:
    """Sets all choices to those of a job, once; they can be changed from then on."""
    if st.session_state.get(Key.CLONED) == job_id:
        return
    kind, _, column = spec.split.partition(":")
    _budget(spec.budget_s)
    st.session_state.update(
        {
            Key.CLONED: job_id,
            Key.METRIC: spec.metric,
            "algorithms": [key for key in offered if not spec.algorithms or key in spec.algorithms],
            "task": spec.task,
            "split": kind,
            "folds": spec.folds,
            "trials": spec.max_trials,
            "per": spec.trials_per_algorithm,
            "latency": spec.max_latency_ms,
            "size": None if spec.max_size_bytes is None else spec.max_size_bytes / MB,
            "machines": spec.machines,
            "seed": spec.seed,
            "name": spec.name,
        }
    )
    if column:
        st.session_state["split-column"] = column


def _budget(seconds: float) -> None:
    """One of those that are offered, or another in minutes."""
    label = words.duration(seconds)
    if label in budgets():
        st.session_state["budget"] = label
    else:
        st.session_state["budget"], st.session_state["minutes"] = CUSTOM, seconds / 60
