"""A file of rows to predict, and the answers to download."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import streamlit as st

from flowml.storage.formats import FORMATS
from flowml.storage.records import Model
from flowml.ui import session, words
from flowml.ui.components.faults import explained
from flowml.ui.session import Key

OUTPUTS = {"CSV": ("csv", "text/csv"), "Parquet": ("parquet", "application/vnd.apache.parquet")}
SHOWN = 100


@dataclass(frozen=True)
class Scored:
    """Kept for the session, so that a download does not predict again."""

    source: str
    model_id: str
    kind: str
    name: str
    content: bytes
    preview: pl.DataFrame
    rows: int


def show(model: Model) -> None:
    suffixes = [suffix.lstrip(".") for row in FORMATS for suffix in row.suffixes]
    st.caption(
        "A table with the columns of the training data. The target may be missing; other columns are ignored."
    )
    file = st.file_uploader("File to predict", suffixes, key=f"score-{model.id}", max_upload_size=200)
    kind = st.segmented_control("Answer as", list(OUTPUTS), default="CSV", required=True, key="output")
    if file is None:
        return
    scored: Scored | None = st.session_state.get(Key.SCORED)
    if scored is None or (scored.source, scored.model_id, scored.kind) != (file.file_id, model.id, kind):
        with explained(), st.spinner(f"Predicting {words.plain(words.short(file.name))}"):
            scored = _score(model, file.file_id, file.name, file.getbuffer(), kind)
        st.session_state[Key.SCORED] = scored
    _answer(scored)


def _score(model: Model, source: str, name: str, content: memoryview, kind: str) -> Scored:
    suffix, _ = OUTPUTS[kind]
    with tempfile.TemporaryDirectory(prefix="flowml-score-") as folder:
        given, out = Path(folder) / f"given{Path(name).suffix}", Path(folder) / f"out.{suffix}"
        given.write_bytes(content)
        session.studio().serving.predict_file(model.id, given, name, out)
        frame = pl.read_csv(out, infer_schema=False) if suffix == "csv" else pl.read_parquet(out)
        saved = f"{Path(name).stem}-predictions.{suffix}"
        return Scored(source, model.id, kind, saved, out.read_bytes(), frame.head(SHOWN), len(frame))


def _answer(scored: Scored) -> None:
    _, mime = OUTPUTS[scored.kind]
    st.success(f"{words.plural(scored.rows, 'row')} predicted.", icon=":material/check_circle:")
    st.download_button(
        f"Download {scored.name}",
        scored.content,
        scored.name,
        mime,
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )
    st.dataframe(scored.preview, hide_index=True, alt="The first predictions")
