"""The choices of a training job, one function a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from flowml.storage.records import Column, Dataset, DatasetEntry, JobSpec, Task
from flowml.ui import catalog, session, tasks, words
from flowml.ui.charts.columns import distribution
from flowml.ui.components import chart, datasets, linked
from flowml.ui.components.faults import explained
from flowml.ui.session import Key, Query

BUDGETS_S = (30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)
CUSTOM = "Other"
AUTO = "auto"
SPLITS = {
    AUTO: "Automatic",
    "random": "Random rows",
    "group": "By group: a group never stands on both sides",
    "time": "By time: learn from the past, check on the future",
    "holdout": "One holdout",
}


def choose_dataset(tables: Sequence[DatasetEntry]) -> Dataset | None:
    """`tables` in the order in which they are offered."""
    by_id = {dataset.id: dataset for dataset in tables}
    chosen = linked.select(
        "Dataset",
        list(by_id),
        Query.DATASET,
        lambda id: f"{datasets.title(by_id[id])}  ({datasets.shape(by_id[id])})",
        placeholder="Choose a dataset",
        default=next(iter(by_id)) if len(by_id) == 1 else None,
    )
    if chosen not in by_id:
        return None
    with explained():
        return session.client().dataset(chosen)


def choose_target(dataset: Dataset) -> Column | None:
    """The column to predict, with what it seems to ask for and why; None while it cannot be learned."""
    name = linked.select(
        "The column to predict",
        dataset.schema.names,
        Query.TARGET,
        placeholder="Choose the column to predict",
        help="The one that you will not know for new rows.",
    )
    column = dataset.schema.column(name or "")
    if column is None:
        return None
    guess = tasks.guess(column, dataset.rows)
    if guess.task is None:
        st.warning(words.plain(guess.reason) + " Choose another column.", icon=":material/block:")
        return None
    with st.container(border=True):
        st.markdown(f"**{tasks.WORDS[guess.task]}** :gray[{words.plain(guess.reason)}]")
        figure = distribution(column, dataset.rows)
        if figure is not None:
            chart.show(replace(figure, height=min(figure.height, 200)), "target")
    return column


def choose_rest(dataset: Dataset, column: Column) -> JobSpec | None:
    """Metric, budget, algorithms and the rest; None while a choice is missing."""
    task = tasks.guess(column, dataset.rows).task
    metric = _metric(task)
    budget_s = _budget()
    algorithms = _algorithms(task)
    spec = JobSpec(
        target=column.name,
        dataset_id=dataset.id,
        metric=metric,
        budget_s=budget_s,
        algorithms=() if len(algorithms) == len(catalog.algorithms(task)) else tuple(algorithms),
    )
    return _advanced(spec, dataset) if algorithms else None


def _metric(task: Task | None) -> str:
    labels = catalog.metrics(task)
    return st.selectbox(
        "Metric",
        [AUTO, *labels],
        format_func=lambda key: "Automatic" if key == AUTO else labels[key],
        key=Key.METRIC,
        help="What the search makes as good as it can. Automatic takes the usual one for the task.",
    )


def _budget() -> float:
    settings = session.studio().settings
    offered = [seconds for seconds in BUDGETS_S if seconds <= settings.longest_budget]
    labels = {words.duration(seconds): seconds for seconds in offered}
    usual = min(offered, key=lambda seconds: abs(seconds - settings.default_budget), default=None)
    chosen = st.segmented_control(
        "Time budget",
        [*labels, CUSTOM],
        default=words.duration(usual) if usual else CUSTOM,
        required=True,
        key="budget",
        bind="query-params",
        help="From the start to the finished model. A model stands at its end, whatever the budget.",
    )
    if chosen != CUSTOM:
        return labels[chosen]
    most = settings.longest_budget / 60
    minutes = st.number_input("Minutes", 0.1, most, min(10.0, most), 1.0, key="minutes", format="%.1f")
    return float(minutes) * 60


def _algorithms(task: Task | None) -> list[str]:
    labels = catalog.algorithms(task)
    return st.pills(
        "Algorithms",
        list(labels),
        selection_mode="multi",
        default=list(labels),
        format_func=labels.__getitem__,
        key="algorithms",
        help="All, unless you know better. The baseline is always run, to compare with.",
        wrap=True,
    )


def _advanced(spec: JobSpec, dataset: Dataset) -> JobSpec:
    with st.expander("Advanced", icon=":material/tune:"):
        name = st.text_input(
            "Name of the job", key="name", placeholder=f"{dataset.name} · {spec.target}", max_chars=120
        )
        task = st.selectbox(
            "Task",
            [AUTO, *Task],
            format_func=lambda key: "Automatic" if key == AUTO else tasks.WORDS[Task(key)],
            key="task",
        )
        split = _split(dataset, spec.target)
        with st.grid(min_column_width=160):
            folds = st.number_input("Folds", 2, 20, None, key="folds", placeholder="automatic")
            trials = st.number_input("Most trials", 1, 100_000, None, key="trials", placeholder="no limit")
            per = st.number_input(
                "Most trials per algorithm", 1, 10_000, None, key="per", placeholder="no limit"
            )
            latency = st.number_input(
                "Slowest prediction (ms a row)", 0.01, None, None, key="latency", placeholder="no limit"
            )
            seed = st.number_input(
                "Seed", 0, 2**31 - 1, 0, key="seed", help="The same seed gives the same search."
            )
    return replace(
        spec,
        name=(name or "").strip(),
        task=str(task),
        split=split,
        folds=folds,
        max_trials=trials,
        trials_per_algorithm=per,
        max_latency_ms=latency,
        seed=int(seed),
    )


def _split(dataset: Dataset, target: str) -> str:
    kind = st.selectbox(
        "How rows are split to check a model",
        list(SPLITS),
        format_func=SPLITS.__getitem__,
        key="split",
        help="Ask yourself what one new row will be: a new customer, or a known one next month?",
    )
    if kind not in ("group", "time"):
        return kind
    columns = [name for name in dataset.schema.names if name != target]
    column = st.selectbox(
        "Column of the group" if kind == "group" else "Column of the time", columns, key="split-column"
    )
    return f"{kind}:{column}" if column else AUTO
