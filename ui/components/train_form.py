"""The choices of a training job, one function a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from flowml.storage.errors import NotFound
from flowml.storage.records import Column, Dataset, DatasetEntry, Job, JobSpec, Task
from flowml.ui import catalog, session, tasks, words
from flowml.ui.charts.columns import distribution
from flowml.ui.components import chart, datasets, linked, train_presets
from flowml.ui.components.faults import explained
from flowml.ui.components.train_presets import CUSTOM
from flowml.ui.session import Key, Query

AUTO = "auto"
SPLITS = {
    AUTO: "Choose for me, by what the columns are",
    "random": "One more row like these: any row may be held back",
    "group": "A new person, site or thing: its rows are never on both sides",
    "time": "A later moment: learn from the past, check on what came after",
    "holdout": "Like these, but check once on one part held out",
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
        help="The table to learn from; each version stands here. Type to find one.",
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


def cloned(dataset: Dataset | None = None) -> Job | None:
    """The job that the address asks to do again; of this dataset, where one is given."""
    asked = session.asked(Query.JOB)
    if not asked:
        return None
    try:
        job = session.client().job(asked)
    except NotFound:
        return None
    return job if dataset is None or job.spec.dataset_id == dataset.id else None


def choose_rest(dataset: Dataset, column: Column) -> JobSpec | None:
    """Metric, budget, algorithms and the rest; None while a choice is missing."""
    task = tasks.guess(column, dataset.rows).task
    offered = list(catalog.algorithms(task))
    again = cloned(dataset)
    if again is not None:
        train_presets.take_over(again.id, again.spec, offered)
    train_presets.choose(offered)
    split = _split(dataset, column.name)
    metric = _metric(task)
    budget_s = _budget()
    algorithms = _algorithms(task)
    base = again.spec if again is not None else JobSpec(column.name)
    spec = replace(
        base,
        target=column.name,
        dataset_id=dataset.id,
        metric=metric,
        split=split,
        budget_s=budget_s,
        algorithms=() if len(algorithms) == len(offered) else tuple(algorithms),
    )
    return _advanced(_limits(spec), dataset) if algorithms else None


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
    settings, labels = session.studio().settings, train_presets.budgets()
    usual = min(labels, key=lambda each: abs(labels[each] - settings.default_budget), default=CUSTOM)
    st.session_state.setdefault("budget", usual)
    chosen = st.segmented_control(
        "Time budget",
        [*labels, CUSTOM],
        required=True,
        key="budget",
        bind="query-params",
        wrap=True,
        help="From the start to the finished model. A model stands at its end, whatever the budget.",
    )
    if chosen != CUSTOM:
        return labels[str(chosen)]
    most = settings.longest_budget / 60
    st.session_state.setdefault("minutes", min(10.0, most))
    minutes = st.number_input(
        "Minutes",
        0.1,
        most,
        step=1.0,
        key="minutes",
        format="%.1f",
        help="As many as you like, up to the longest budget in the settings.",
    )
    return float(minutes) * 60


def _algorithms(task: Task | None) -> list[str]:
    labels = catalog.algorithms(task)
    kept = [key for key in st.session_state.get("algorithms", labels) if key in labels]
    st.session_state["algorithms"] = kept
    return st.pills(
        "Algorithms",
        list(labels),
        selection_mode="multi",
        format_func=labels.__getitem__,
        key="algorithms",
        help="All, unless you know better. The baseline is always run, to compare with.",
        wrap=True,
    )


def _limits(spec: JobSpec) -> JobSpec:
    """How fast and how small the model must be, and who may help."""
    st.session_state.setdefault("size", train_presets.USUAL_MB)
    with st.grid(min_column_width=150):
        latency = st.number_input(
            "Longest answer time (ms)", 0.01, None, None, key="latency", placeholder="no limit",
            help="Of one row on one thread. Members that make the model slower are left out.",
        )  # fmt: skip
        size = st.number_input(
            "Largest model file (MB)", 0.1, None, key="size", placeholder="no limit",
            help="A model that would be larger gives way to a smaller one. Empty: no limit.",
        )  # fmt: skip
        machines = st.number_input(
            "Most machines", 1, 1000, None, key="machines", placeholder="all free ones",
            help="Workers that have nothing else to do share the trials of this job.",
        )  # fmt: skip
    most_bytes = None if size is None else round(size * train_presets.MB)
    return replace(spec, max_latency_ms=latency, max_size_bytes=most_bytes, machines=machines)


def _advanced(spec: JobSpec, dataset: Dataset) -> JobSpec:
    st.session_state.setdefault("seed", 0)
    with st.expander("Advanced", icon=":material/tune:"):
        name = st.text_input(
            "Name of the job",
            key="name",
            placeholder=f"{dataset.name} · {spec.target}",
            max_chars=120,
            help="How lists call it. Empty: the dataset and the column.",
        )
        task = st.selectbox(
            "Task",
            [AUTO, *Task],
            format_func=lambda key: "Automatic" if key == AUTO else tasks.WORDS[Task(key)],
            key="task",
            help="Where the guess is wrong, as for grades that are written as numbers.",
        )
        with st.grid(min_column_width=160):
            folds = st.number_input(
                "Folds",
                2,
                20,
                None,
                key="folds",
                placeholder="automatic",
                help="Parts into which rows are split; each part checks what was learned on the others.",
            )
            trials = st.number_input(
                "Most trials",
                1,
                100_000,
                None,
                key="trials",
                placeholder="no limit",
                help="The search ends after so many, even if time is left.",
            )
            per = st.number_input(
                "Most trials per algorithm",
                1,
                10_000,
                None,
                key="per",
                placeholder="no limit",
                help="An algorithm is not tried more often than this.",
            )
            seed = st.number_input(
                "Seed", 0, 2**31 - 1, key="seed", help="The same seed gives the same search."
            )
    return replace(
        spec,
        name=(name or "").strip(),
        task=str(task),
        folds=folds,
        max_trials=trials,
        trials_per_algorithm=per,
        seed=int(seed),
    )


def _split(dataset: Dataset, target: str) -> str:
    kind = st.selectbox(
        "What is one new row?",
        list(SPLITS),
        format_func=SPLITS.__getitem__,
        key="split",
        help="What the model will be asked about decides how it must be checked: a new customer, or a known "
        "one next month? Rows are split that way.",
    )
    if kind not in ("group", "time"):
        return kind
    columns = [name for name in dataset.schema.names if name != target]
    if st.session_state.get("split-column") not in columns:
        st.session_state.pop("split-column", None)
    column = st.selectbox(
        "Column of the group" if kind == "group" else "Column of the time",
        columns,
        key="split-column",
        help="Rows of one group stay together; in time, later rows check what earlier ones taught.",
    )
    return f"{kind}:{column}" if column else AUTO
