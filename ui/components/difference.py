"""What changed between two versions of a dataset."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from flowml.storage.records import Dataset, VersionDifference
from flowml.ui import session, words
from flowml.ui.components import datasets, drift
from flowml.ui.components.faults import explained


def view(dataset: Dataset, others: Sequence[Dataset]) -> None:
    """`others` are the versions it can be compared with, the likeliest first."""
    by_id = {other.id: other for other in others}
    chosen = st.selectbox(
        "Compared with",
        list(by_id),
        format_func=lambda id: f"{datasets.title(by_id[id])} ({datasets.shape(by_id[id])})",
        key=f"compare-{dataset.id}",
        help="An earlier or later version, or the table that this one was made from.",
    )
    with explained(), st.spinner("Comparing…"):
        found = session.client().difference(chosen, dataset.id)
    _summary(found)
    if dataset.query and chosen == dataset.parent:
        with st.expander("The query that made it", icon=":material/code:"):
            st.code(dataset.query, language="sql")
    if found.values.columns:
        drift.table(found.values.columns, f"How the values of {dataset.name} differ from the other version")


def _summary(found: VersionDifference) -> None:
    more = found.rows_now - found.rows_before
    lines = [
        f"{words.count(found.rows_before)} rows before, {words.count(found.rows_now)} now"
        + (f" ({more:+,})." if more else ".")
    ]
    for title, names in (("New columns", found.added), ("Gone", found.removed)):
        if names:
            lines.append(f"{title}: {words.plain(words.listing(names, 12))}.")
    lines += [
        f"{words.plain(name)} was {before} and is {now}." for name, (before, now) in found.retyped.items()
    ]
    changed = len(found.values.drifted)
    columns = "column differs" if changed == 1 else "columns differ"
    lines.append(
        f"The values of {changed} {columns} by more than chance explains."
        if changed
        else "No values have drifted."
    )
    st.markdown("  \n".join(lines))
