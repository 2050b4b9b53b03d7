"""What a job will be, beside its form: who will do it, and the button that starts it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from flowml.runner import estimating
from flowml.storage.records import ENDED, Column, Dataset, Job, JobSpec, Task, Worker
from flowml.ui import catalog, session, tasks, words
from flowml.ui.components import datasets, figures, layout, start_here


def show(
    dataset: Dataset | None,
    column: Column | None,
    spec: JobSpec | None,
    workers: Sequence[Worker] | None,
) -> bool:
    """True in the run in which the reader pressed Start. `workers` are those online, None if unknown."""
    with st.container(border=True):
        st.subheader("This job", anchor=False)
        if dataset is None:
            st.caption("Choose a dataset and the column to predict.")
        elif column is None:
            st.caption(f"{words.plain(datasets.title(dataset))}: choose the column to predict.")
        elif spec is None:
            st.caption("Choose at least one algorithm.")
        else:
            _lines(dataset, column, spec, workers or ())
        pressed = st.button(
            "Start training",
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            disabled=spec is None,
            key="start",
            help="Queues the job and leads to its Live page.",
        )
        if workers is not None:
            _machines(workers)
    return pressed


def _lines(dataset: Dataset, column: Column, spec: JobSpec, workers: Sequence[Worker]) -> None:
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
        **(_likely(dataset, spec, task, workers) if task else {}),
    }
    st.table(
        {"": [f":gray[{name}]" for name in lines], " ": list(lines.values())},
        border="horizontal",
        hide_index=True,
        hide_header=True,
        alt="What this job will do",
    )


def _likely(dataset: Dataset, spec: JobSpec, task: Task, workers: Sequence[Worker]) -> dict[str, str]:
    """What the budget is likely to buy, and what it costs."""
    able = [worker for worker in workers if worker.state != "draining"]
    taking = sorted(able, key=lambda worker: worker.state != "idle")[: spec.machines]
    told = estimating.estimate(dataset, spec, task, taking, _before(dataset, spec))
    trials = (
        f"{told.low:,} to {told.high:,} trials" if told.low < told.high else words.plural(told.low, "trial")
    )
    folds = words.plural(told.folds, "fit")
    names = words.listing([words.plain(words.short(worker.name, 24)) for worker in taking], 3)
    by = "as the last job on this table" if told.after else "by the cost of each algorithm"
    return {
        "Likely": f"{trials}, {words.duration(told.trial_s)} each :gray[({folds} a trial; {by})]",
        "Machines": names or "the first that joins",
        "Costs": f"up to {words.plural(told.cores, 'core')} for {words.duration(spec.budget_s)} "
        f":gray[({told.core_minutes:,.0f} core-minutes)]",
    }


def _before(dataset: Dataset, spec: JobSpec) -> Job | None:
    """The last job that learned the same from this table with as many algorithms."""
    ended = session.client().jobs(states=ENDED, dataset=dataset.id, limit=10)
    return next(
        (
            job
            for job in ended
            if job.champion and job.spec.target == spec.target and job.spec.algorithms == spec.algorithms
            and job.spec.max_trials is None
        ),
        None,
    )  # fmt: skip


def _machines(workers: Sequence[Worker]) -> None:
    if workers:
        free = sum(worker.state == "idle" for worker in workers)
        cores = sum(machine.cpus for machine in figures.machines(workers))
        waits = "" if free else " All are busy: the job will wait for the first that is free."
        waits = f" {start_here.PAUSED}" if start_here.all_paused(workers) else waits
        online = f"{words.plural(len(workers), 'worker')} online, {words.plural(cores, 'core')}, {free} free."
        st.caption(online + waits)
        return
    st.warning(
        "You can start the job now: it waits in the queue and begins when a worker joins.",
        title="No worker is online",
        icon=":material/cloud_off:",
    )
    row = st.container(horizontal=True, vertical_alignment="center")
    start_here.offer(row)
    layout.link(row, "workers", "All about workers", "memory")
