"""The check of a table: on its own page, and before a job starts."""

from __future__ import annotations

import streamlit as st

from flowml.storage.errors import DataError, FlowMLError
from flowml.storage.records import Dataset, Finding, JobSpec, Severity
from flowml.ui import session, words
from flowml.ui.charts.associations import telling
from flowml.ui.components import chart, findings, linked
from flowml.ui.components.faults import box, explained
from flowml.ui.session import Query

CLEAN = ":green[:material/check_circle:] Nothing was noticed."


def view(dataset: Dataset) -> None:
    """Of the columns alone, or of a target that is chosen here."""
    target = linked.select(
        "The column to predict",
        dataset.schema.names,
        Query.TARGET,
        placeholder="Choose one to have it checked too",
        help="Some defects matter only for what is to be predicted.",
    )
    spec = JobSpec(target or "", dataset_id=dataset.id)
    with explained(), st.spinner("Checking the table…"):
        found = session.client().check(spec)
    if found:
        with st.container(border=True, gap="small"):
            findings.cards(found, dataset, "data", target or "")
    else:
        st.markdown(CLEAN)
    if target:
        _telling(dataset, target)


def _telling(dataset: Dataset, target: str) -> None:
    try:
        with st.spinner("Asking each column alone…"):
            columns = session.client().target_associations(dataset.id, target)
    except DataError as error:  # the target cannot be learned
        box(error)
        return
    figure = telling(columns, target)
    if figure is not None:
        with st.container(border=True):
            chart.show(figure, f"telling-{dataset.id}")


def panel(dataset: Dataset, spec: JobSpec) -> None:
    """What is grave first, notes folded. A check that fails is said and stops nothing."""
    with st.container(border=True):
        st.subheader("Check of the table", anchor=False)
        try:
            with st.spinner("Checking the table…"):
                found = session.client().check(spec)
        except FlowMLError as error:
            st.caption(words.plain(f"The table could not be checked. {error}"))
            return
        grave = [finding for finding in found if finding.severity is not Severity.NOTE]
        notes = [finding for finding in found if finding.severity is Severity.NOTE]
        if not found:
            st.markdown(CLEAN)
        if grave:
            findings.cards(grave, dataset, "train", spec.target)
        if notes:
            _notes(notes, dataset, spec)


def _notes(notes: list[Finding], dataset: Dataset, spec: JobSpec) -> None:
    with st.expander(words.plural(len(notes), "note"), icon=":material/info:"):
        findings.cards(notes, dataset, "train", spec.target)
