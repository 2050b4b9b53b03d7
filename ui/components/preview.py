"""The first rows of a dataset."""

from __future__ import annotations

import polars as pl
import streamlit as st

from flowml.storage.records import Dataset, Json
from flowml.ui import session, words
from flowml.ui.components.faults import explained

ROWS = 100


def show(dataset: Dataset) -> None:
    with explained():
        shown = session.client().preview(dataset.id, ROWS)
    table(shown, f"The first rows of {dataset.name}")
    st.caption(f"The first {words.plural(len(shown['rows']), 'row')} of {words.count(dataset.rows)}.")


def table(shown: Json, alt: str) -> None:
    """Columns and rows of plain JSON."""
    names = [str(name) for name in shown["columns"]]
    frame = pl.DataFrame(shown["rows"], schema=names, orient="row", infer_schema_length=None, strict=False)
    st.dataframe(frame, hide_index=True, height=min(520, 40 + 35 * max(1, frame.height)), alt=alt)
