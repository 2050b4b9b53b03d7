"""How datasets are named and listed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from flowml.storage.records import Dataset
from flowml.ui import session, words
from flowml.ui.components import clock, layout
from flowml.ui.components.confirm import confirm
from flowml.ui.components.faults import explained


def title(dataset: Dataset) -> str:
    return (
        f"{words.short(dataset.name, 48)} · v{dataset.version}"
        if dataset.version > 1
        else words.short(dataset.name, 48)
    )


def shape(dataset: Dataset) -> str:
    return f"{words.plural(dataset.rows, 'row')} × {words.plural(len(dataset.schema.columns), 'column')}"


def families(datasets: Sequence[Dataset]) -> list[list[Dataset]]:
    """The versions of each name together, newest first; the latest upload leads."""
    named: dict[str, list[Dataset]] = {}
    for dataset in sorted(datasets, key=lambda d: (d.created_at, d.version), reverse=True):
        named.setdefault(dataset.name, []).append(dataset)
    return [sorted(versions, key=lambda d: d.version, reverse=True) for versions in named.values()]


def short_list(datasets: Sequence[Dataset], limit: int = 6) -> None:
    shown = families(datasets)
    if not shown:
        st.caption("Upload a table to start.")
    for versions in shown[:limit]:
        with st.container(gap=None):
            layout.link(
                st.container(), "data", words.plain(title(versions[0])), "table", dataset=versions[0].id
            )
            st.caption(f"{shape(versions[0])} · {clock.ago(versions[0].created_at)}")
    if len(shown) > limit:
        layout.link(st.container(), "data", f"All {len(shown)} datasets", "arrow_forward")


def rows(datasets: Sequence[Dataset]) -> None:
    """One line a name: its newest version, and a way to train on it."""
    with st.container(border=True, gap="xsmall"):
        for versions in families(datasets):
            _row(versions)


def _row(versions: Sequence[Dataset]) -> None:
    dataset = versions[0]
    line = st.container(horizontal=True, vertical_alignment="center", gap="small")
    layout.link(line.container(width=270), "data", words.plain(title(dataset)), "table", dataset=dataset.id)
    line.container(width=250).caption(f"{shape(dataset)} · {words.size(dataset.size)}")
    line.container(width=100).caption(clock.ago(dataset.created_at))
    layout.link(line.container(width=80), "train", "Train", "tune", dataset=dataset.id)


def versions(dataset: Dataset) -> None:
    """The way back to the list, and to the other versions where there are any."""
    with explained():
        others = [d for d in session.client().datasets() if d.name == dataset.name and d.id != dataset.id]
    row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    layout.link(row, "data", "All datasets", "arrow_back")
    if others:
        row.markdown(":gray[Other versions:]", width="content")
    for other in sorted(others, key=lambda d: d.version, reverse=True)[:8]:
        layout.link(row, "data", f"v{other.version}", "table", dataset=other.id)


def to_compare(dataset: Dataset) -> list[Dataset]:
    """What it can be compared with: what it was made from, then the version before it, then others."""
    with explained():
        others = [d for d in session.client().datasets() if d.id != dataset.id]
    family = [d for d in others if d.name == dataset.name or d.id == dataset.parent]
    return sorted(
        family,
        key=lambda d: (d.id != dataset.parent, d.version > dataset.version, abs(dataset.version - d.version)),
    )


def delete_button(place: DeltaGenerator, dataset: Dataset) -> None:
    question = (
        f"Delete **{words.plain(title(dataset))}**? Its jobs and models stay and can still predict; "
        "no new job can use it."
    )
    if confirm(place, "Delete", "delete", question, "Delete this dataset", "delete-dataset"):
        with explained():
            session.client().delete_dataset(dataset.id)
        session.leave_notice(f"Deleted {title(dataset)}.")
        layout.go("data")
