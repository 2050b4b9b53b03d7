"""Two choices and a press from a dataset to a job that runs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from flowml.storage.records import Dataset, DatasetEntry, Job, JobSpec, Role
from flowml.ui import session, words
from flowml.ui.components import datasets, layout
from flowml.ui.components.faults import explained

NO_TARGET = frozenset({Role.CONSTANT, Role.IGNORED, Role.IDENTIFIER, Role.TEXT})


def show(tables: Sequence[DatasetEntry], jobs: Sequence[Job]) -> None:
    """`jobs` are earlier ones, newest first: what was predicted in a dataset is likely again."""
    newest = {table.id: table for table in tables}
    if not newest:
        return
    with st.container(border=True, gap="small"):
        st.subheader("Quick start", anchor=False)
        chosen = st.selectbox(
            "Dataset",
            list(newest),
            format_func=lambda id: datasets.title(newest[id]),
            key="quick-dataset",
            help="The table to learn from, the latest uploads first.",
        )
        with explained():
            table = session.client().dataset(chosen)
        names = targets(table)
        target = st.selectbox(
            "Column to predict",
            names,
            index=usual(names, table, jobs),
            placeholder="Choose a column",
            key=f"quick-target-{chosen}",
            help="The one that you will not know for new rows.",
        )
        budget_s = session.studio().settings.default_budget
        pressed = st.button(
            f"Train for {words.duration(budget_s)}",
            icon=":material/play_arrow:",
            type="primary",
            width="stretch",
            disabled=target is None,
            key="quick-start",
            help="With all algorithms and the usual metric of the task.",
        )
        query = {"dataset": chosen} | ({"target": target} if target else {})
        layout.link(st.container(), "train", "More choices", "tune", **query)
    if pressed and target:
        with explained():
            job = session.client().submit(JobSpec(target, chosen, budget_s=budget_s))
        layout.go("live", job=job.id)


def targets(table: Dataset) -> list[str]:
    """Columns that can be predicted, in their order."""
    return [column.name for column in table.schema.columns if column.role not in NO_TARGET]


def usual(names: Sequence[str], table: Dataset, jobs: Sequence[Job]) -> int | None:
    """The column that was predicted last in a dataset of that name."""
    asked = [job.spec.target for job in jobs if job.dataset_name == table.name and job.spec.target in names]
    return names.index(asked[0]) if asked else None
