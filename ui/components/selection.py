"""A table of which the reader may choose a row by a click anywhere in it, or with the arrow keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st


def table(
    frame: pl.DataFrame,
    key: str,
    column_config: dict[str, Any],
    alt: str,
    column_order: Sequence[str] | None = None,
) -> int | None:
    """Gives the place of the chosen row in `frame`, None while there is none."""
    event: Any = st.dataframe(  # typed as the element; with on_select it gives the state
        frame,
        hide_index=True,
        key=key,
        column_order=column_order,
        column_config=column_config,
        placeholder="–",
        on_select="rerun",
        selection_mode="single-cell",
        alt=alt,
    )
    cells = event.selection.cells
    place = int(cells[0][0]) if cells else None
    return place if place is not None and place < len(frame) else None
