"""Tables: upload, list, look into one, delete, train."""

from __future__ import annotations

import streamlit as st

from flowml.storage.records import Dataset
from flowml.ui import session, words
from flowml.ui.components import (
    check,
    datasets,
    difference,
    figures,
    layout,
    preview,
    roles,
    samples,
    schema,
    server_files,
    sql,
    upload,
)
from flowml.ui.components.faults import explained
from flowml.ui.session import Query

VIEWS = {
    "Columns": schema.show,
    "Check": check.view,
    "Roles": roles.view,
    "SQL": sql.view,
    "Preview": preview.show,
}


def list_page() -> None:
    actions = layout.heading(
        "Data", "Tables to learn from. A file of a name that exists becomes its next version."
    )
    with explained():
        names = session.client().dataset_totals().names
    uploaded = upload.drop_zone(session.studio().settings.upload_limit)
    if uploaded and uploaded.alone:
        session.remember(Query.DATASET, uploaded.id)
        session.leave_notice(f"Uploaded {uploaded.name}.")
        st.rerun()
    server_files.form()
    if names:
        samples.button(actions)
        datasets.listing(names)
    else:
        samples.button(
            layout.empty(
                "table_view",
                "No dataset yet",
                "Drop a file above: one row for each thing you know about, one column for each fact, "
                "and among them the column that you want to predict.",
            ),
            primary=True,
        )


def dataset_page(dataset: Dataset) -> None:
    actions = layout.heading(
        words.plain(datasets.title(dataset)),
        f"From {words.plain(dataset.source)} · {words.size(dataset.size)} as Parquet",
    )
    datasets.versions(dataset)
    if dataset.deleted:
        st.info("It was deleted. What is known of it stays, for its jobs.", icon=":material/info:")
        schema.show(dataset)
        return
    if actions.button(
        "Train on this", type="primary", icon=":material/tune:", help="Opens the Train page with this table."
    ):
        layout.go("train", dataset=dataset.id)
    datasets.download_button(actions, dataset)
    datasets.delete_button(actions, dataset)
    figures.dataset(dataset)
    others = datasets.to_compare(dataset)
    view = st.segmented_control(
        "View",
        [*VIEWS, *(["Changes"] if others else [])],
        default="Columns",
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    if view == "Changes":
        difference.view(dataset, others)
    else:
        VIEWS[view](dataset)


if asked := session.asked(Query.DATASET):
    with explained("Data", "data"):
        found = session.client().dataset(asked)
    dataset_page(found)
else:
    list_page()
