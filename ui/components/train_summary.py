"""What a job will be, beside its form: who will do it, and the button that starts it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from flowml.storage.records import Column, Dataset, JobSpec, Task, Worker
from flowml.ui import catalog, tasks, words
from flowml.ui.components import datasets, layout


def show(
    dataset: Dataset | None, column: Column | None, spec: JobSpec | None, workers: Sequence[Worker]
) -> bool:
    """True in the run in which the reader pressed Start."""
    with st.container(border=True):
        st.subheader("This job", anchor=False)
        if dataset is None:
            st.caption("Choose a dataset and the column to predict.")
        elif column is None:
            st.caption(f"{words.plain(datasets.title(dataset))}: choose the column to predict.")
        elif spec is None:
            st.caption("Choose at least one algorithm.")
        else:
            _lines(dataset, column, spec)
        pressed = st.button(
            "Start training",
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            disabled=spec is None,
            key="start",
        )
        _machines(workers)
    return pressed


def _lines(dataset: Dataset, column: Column, spec: JobSpec) -> None:
    guess = tasks.guess(column, dataset.rows)
    task = guess.task if spec.task == "auto" else Task(spec.task)
    tried = len(spec.algorithms) or len(catalog.algorithms(task))
    lines = {
        "Predict": f"**{words.plain(words.short(column.name, 40))}**",
        "From": f"{words.plain(datasets.title(dataset))}, {words.plural(dataset.rows, 'row')}",
        "Task": tasks.WORDS[task] if task else words.MISSING,
        "Metric": "automatic" if spec.metric == "auto" else catalog.metric(spec.metric),
        "Budget": words.duration(spec.budget_s),
        "Tries": words.plural(tried, "algorithm"),
    }
    st.table(
        {"": [f":gray[{name}]" for name in lines], " ": list(lines.values())},
        border="horizontal",
        hide_index=True,
        hide_header=True,
        alt="What this job will do",
    )


def _machines(workers: Sequence[Worker]) -> None:
    if workers:
        free = sum(worker.state == "idle" for worker in workers)
        cores = sum(worker.capabilities.cpus for worker in workers)
        waits = "" if free else " All are busy: the job will wait for the first that is free."
        online = f"{words.plural(len(workers), 'worker')} online, {words.plural(cores, 'core')}, {free} free."
        st.caption(online + waits)
        return
    st.warning(
        "You can start the job now: it waits in the queue and begins when a worker joins.",
        title="No worker is online",
        icon=":material/cloud_off:",
    )
    layout.link(st.container(), "workers", "How to start a worker", "memory")
