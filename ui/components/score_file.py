"""A file of rows to predict: how it differs from the training, then the answers to download."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from flowml.storage.errors import SpecError
from flowml.storage.formats import FORMATS
from flowml.storage.records import DriftSummary, FileScored, Model
from flowml.ui import session, words
from flowml.ui.components import drift, scoring_jobs
from flowml.ui.components.faults import explained
from flowml.ui.session import Key

OUTPUTS = {"CSV": ("csv", "text/csv"), "Parquet": ("parquet", "application/vnd.apache.parquet")}
SHOWN = 100
LARGE = 20 * 10**6  # bytes of a file that is predicted as a job, which a reader need not wait for


@dataclass(frozen=True)
class Scored:
    """Kept for the session, so that a download does not predict again."""

    source: str
    model_id: str
    kind: str
    name: str
    content: bytes
    preview: pl.DataFrame
    found: FileScored


def show(model: Model) -> None:
    suffixes = [suffix.lstrip(".") for row in FORMATS for suffix in row.suffixes]
    st.caption(
        "A table with the columns of the training data. The target may be missing; other columns are ignored."
    )
    file = st.file_uploader(
        "File to predict",
        suffixes,
        key=f"score-{model.id}",
        max_upload_size=200,
        help="Any format that Data reads, with the columns that the model expects.",
    )
    if file is not None:
        _offer(model, file)
    scoring_jobs.view(model)


def _offer(model: Model, file: UploadedFile) -> None:
    _compare(model, file)
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    kind = row.segmented_control(
        "Answer as",
        list(OUTPUTS),
        default="CSV",
        required=True,
        key="output",
        help="The file format of the answers.",
    )
    wanted = row.button(
        "Predict all rows",
        type="primary",
        icon=":material/play_arrow:",
        key="score",
        help="A large file becomes a job that goes on without this page.",
    )
    scored: Scored | None = st.session_state.get(Key.SCORED)
    if wanted:
        if file.size > LARGE:
            with explained(), _given(file) as path:
                session.client().predict_file(model.id, path, file.name, OUTPUTS[kind][0])
            return
        with explained():
            scored = _score(model, file, kind)
        st.session_state[Key.SCORED] = scored
    if scored and (scored.source, scored.model_id, scored.kind) == (file.file_id, model.id, kind):
        _answer(scored)


def _compare(model: Model, file: UploadedFile) -> None:
    """Once for each file and model. A model that does not tell of its training predicts all the same."""
    known: tuple[str, str, DriftSummary] | None = st.session_state.get(Key.COMPARED)
    if known is None or known[:2] != (file.file_id, model.id):
        with explained(), st.spinner("Comparing with the training"), _given(file) as path:
            try:
                found = session.studio().serving.compare_file(model.id, path, file.name)
            except SpecError as error:
                st.caption(words.plain(f"It was not compared with the training. {error.message}"))
                return
        known = (file.file_id, model.id, found)
        st.session_state[Key.COMPARED] = known
    with st.container(border=True):
        drift.told(known[2])


@contextmanager
def _given(file: UploadedFile) -> Iterator[Path]:
    """The file in a folder of its own, for as long as it is used."""
    with tempfile.TemporaryDirectory(prefix="flowml-score-") as folder:
        path = Path(folder) / f"given{Path(file.name).suffix}"
        path.write_bytes(file.getbuffer())
        yield path


def _score(model: Model, file: UploadedFile, kind: str) -> Scored:
    suffix, _ = OUTPUTS[kind]
    bar = st.progress(0.0, f"Predicting {words.plain(words.short(file.name))}")

    def told(done: int, of: int | None) -> None:
        if of:
            bar.progress(min(1.0, done / of), f"{words.plural(done, 'row')} of {words.count(of)}")
        else:
            bar.progress(0.0, f"{words.plural(done, 'row')} so far")

    with _given(file) as given:
        out = given.with_name(f"out.{suffix}")
        try:
            found = session.studio().serving.predict_file(model.id, given, file.name, out, told)
        finally:
            bar.empty()
        frame = pl.read_csv(out, infer_schema=False) if suffix == "csv" else pl.read_parquet(out)
        saved = f"{Path(file.name).stem}-predictions.{suffix}"
        content = out.read_bytes()
    return Scored(file.file_id, model.id, kind, saved, content, frame.head(SHOWN), found)


def _answer(scored: Scored) -> None:
    _, mime = OUTPUTS[scored.kind]
    st.success(f"{words.plural(scored.found.rows, 'row')} predicted.", icon=":material/check_circle:")
    scoring_jobs.warnings(scored.found.warnings, scored.found.more_warnings)
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
