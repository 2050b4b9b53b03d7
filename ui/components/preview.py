"""The first rows of a dataset."""

from __future__ import annotations

import polars as pl
import streamlit as st

from flowml.storage.records import Dataset
from flowml.ui import session, words
from flowml.ui.components.faults import explained

ROWS = 100


def show(dataset: Dataset) -> None:
    with explained():
        shown = session.client().preview(dataset.id, ROWS)
    names = [str(name) for name in shown["columns"]]
    table = pl.DataFrame(shown["rows"], schema=names, orient="row", infer_schema_length=None, strict=False)
    st.dataframe(table, hide_index=True, height=520, alt=f"The first rows of {dataset.name}")
    st.caption(f"The first {words.plural(len(table), 'row')} of {words.count(dataset.rows)}.")
