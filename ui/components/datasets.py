"""How datasets are named and listed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from flowml.storage.errors import NotFound
from flowml.storage.records import Dataset, DatasetEntry
from flowml.ui import session, words
from flowml.ui.components import clock, layout
from flowml.ui.components.confirm import confirm
from flowml.ui.components.faults import explained

PAGE = 25
MOST_DOWNLOADED = 500_000_000  # bytes, which the studio holds in memory meanwhile


def title(dataset: Dataset | DatasetEntry) -> str:
    return (
        f"{words.short(dataset.name, 48)} · v{dataset.version}"
        if dataset.version > 1
        else words.short(dataset.name, 48)
    )


def shape(dataset: Dataset | DatasetEntry) -> str:
    columns = dataset.columns if isinstance(dataset, DatasetEntry) else len(dataset.schema.columns)
    return f"{words.plural(dataset.rows, 'row')} × {words.plural(columns, 'column')}"


def short_list(shown: Sequence[DatasetEntry], names: int) -> None:
    """The newest, of so many names."""
    if not shown:
        st.caption("Upload a table to start.")
    for dataset in shown:
        with st.container(gap=None):
            layout.link(st.container(), "data", words.plain(title(dataset)), "table", dataset=dataset.id)
            st.caption(f"{shape(dataset)} · {clock.ago(dataset.created_at)}")
    if names > len(shown):
        layout.link(st.container(), "data", f"All {names:,} datasets", "arrow_forward")


def listing(names: int) -> None:
    """Of so many names a page: the newest version of each, a way to train on it, and a search."""
    text = ""
    if names > PAGE:
        text = st.text_input(
            "Find",
            key="find",
            bind="query-params",
            placeholder="Part of a name",
            icon=":material/search:",
            label_visibility="collapsed",
        )
    with explained():
        client = session.client()
        found = client.dataset_totals(text).names if text else names
        number = min(int(st.session_state.get("page", 1)), -(-found // PAGE) or 1)
        shown = client.dataset_entries(text, PAGE, PAGE * (number - 1))
    if not shown:
        layout.empty("search_off", "No dataset fits", "Try fewer letters of its name.")
        return
    rows(shown)
    if found > PAGE:
        st.pagination(-(-found // PAGE), key="page", bind="query-params")


def rows(shown: Sequence[DatasetEntry]) -> None:
    """One line a name: its newest version, and a way to train on it."""
    with st.container(border=True, gap="small"):
        for dataset in shown:
            _row(dataset)


def _row(dataset: DatasetEntry) -> None:
    line = st.container(horizontal=True, vertical_alignment="center", gap="xsmall")
    layout.link(
        line.container(width="stretch"), "data", words.plain(title(dataset)), "table", dataset=dataset.id
    )
    line.container(width=230).caption(f"{shape(dataset)} · {words.size(dataset.size)}")
    line.container(width=100).caption(clock.ago(dataset.created_at))
    layout.link(line.container(width=80), "train", "Train", "tune", dataset=dataset.id)


def versions(dataset: Dataset) -> None:
    """The way back to the list, and to the other versions where there are any."""
    with explained():
        others = [d for d in session.client().family(dataset.id) if d.id != dataset.id]
    row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    layout.link(row, "data", "All datasets", "arrow_back")
    if others:
        row.markdown(":gray[Other versions:]", width="content")
    for other in sorted(others, key=lambda d: d.version, reverse=True)[:8]:
        layout.link(row, "data", f"v{other.version}", "table", dataset=other.id)


def to_compare(dataset: Dataset) -> list[Dataset]:
    """What it can be compared with: what it was made from, then the version before it, then others."""
    with explained():
        family = [d for d in session.client().family(dataset.id) if d.id != dataset.id]
        if dataset.parent and dataset.parent not in {d.id for d in family}:
            family += _parent(dataset)
    return sorted(
        family,
        key=lambda d: (d.id != dataset.parent, d.version > dataset.version, abs(dataset.version - d.version)),
    )


def _parent(dataset: Dataset) -> list[Dataset]:
    """What it was made from, unless that is gone or not to be seen."""
    try:
        parent = session.client().dataset(dataset.parent)
    except NotFound:
        return []
    return [] if parent.deleted else [parent]


def download_button(place: DeltaGenerator, dataset: Dataset) -> None:
    large = dataset.size > MOST_DOWNLOADED
    place.download_button(
        "Download",
        lambda: session.client().dataset_file(dataset.id).read_bytes(),
        f"{dataset.name}-v{dataset.version}.parquet",
        "application/vnd.apache.parquet",
        icon=":material/download:",
        on_click="ignore",
        disabled=large,
        help=f"Too large for the browser. `flowml datasets download {dataset.id}` writes it to a file."
        if large
        else "The whole table as Parquet, as the script of a leaderboard's row reads it. "
        "`flowml datasets download` writes CSV and Excel too.",
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
