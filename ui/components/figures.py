"""The few numbers at the top of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from flowml.storage.records import FEATURE_ROLES, Capabilities, Dataset, DatasetTotals, Job, JobState, Worker
from flowml.ui import words
from flowml.ui.components import clock


def strip() -> DeltaGenerator:
    """Four equal cards a row, two on narrow screens."""
    return st.grid(columns=4, min_column_width=132, gap="small")


def card(label: str, value: str, below: str = "", help: str | None = None) -> None:
    """One number with its name, and what puts it in relation. Markdown must be escaped."""
    st.metric(
        label,
        value,
        delta_description=below or None,
        border=True,
        help=help,
        height="stretch",
    )


def machines(workers: Sequence[Worker]) -> tuple[Capabilities, ...]:
    """Each machine once, however many workers it has."""
    return tuple({worker.capabilities.hostname: worker.capabilities for worker in workers}.values())


def studio(active: Sequence[Job], models: int, tables: DatasetTotals, workers: Sequence[Worker]) -> None:
    """The state of the whole studio in four numbers."""
    waiting = sum(job.state in (JobState.QUEUED, JobState.LOST) for job in active)
    online = [worker for worker in workers if worker.state != "offline"]
    cores = sum(machine.cpus for machine in machines(online))
    with strip():
        card("Running jobs", str(len(active) - waiting), f"{waiting} waiting" if waiting else "none waiting")
        card("Models", words.count(models), "ready to predict")
        card("Datasets", words.count(tables.datasets), f"{words.count(tables.rows)} rows together")
        card(
            "Workers online", str(len(online)), words.plural(cores, "core") if online else "nothing can train"
        )


def dataset(dataset: Dataset) -> None:
    columns = dataset.schema.columns
    cells = dataset.rows * len(columns)
    missing = sum(column.missing for column in columns)
    used = sum(column.role in FEATURE_ROLES for column in columns)
    with strip():
        card("Rows", words.count(dataset.rows))
        card("Columns", words.count(len(columns)), f"{words.count(used)} can be learned from")
        card(
            "Missing cells", words.percent(missing / cells if cells else 0.0), f"{words.count(missing)} cells"
        )
        card("Uploaded", clock.ago(dataset.created_at), clock.moment(dataset.created_at))


def cluster(online: Sequence[Worker], waiting: Mapping[str, int]) -> None:
    queued = sum(waiting.values())
    busy = sum(worker.state == "busy" for worker in online)
    hosts = machines(online)
    gpus = [gpu for machine in hosts for gpu in machine.gpus]
    memory = sum(machine.ram_total for machine in hosts)
    with strip():
        card("Workers online", str(len(online)), f"{busy} busy")
        card(
            "Cores",
            words.count(sum(machine.cpus for machine in hosts)),
            f"{words.size(memory)} memory" if online else "no machine",
        )
        card(
            "GPUs", str(len(gpus)), words.size(sum(gpu.vram_total for gpu in gpus)) if gpus else "none online"
        )
        card(
            "Jobs waiting",
            str(queued),
            words.listing([f"{n} in {q}" for q, n in waiting.items() if n]) or "none",
        )
