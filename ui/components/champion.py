"""The champion of a job: what it is made of, and how to take it along."""

from __future__ import annotations

import json

import streamlit as st

from flowml.storage.records import Job, Model
from flowml.ui import session, words
from flowml.ui.components import layout
from flowml.ui.report import gather, report_of


def of(job: Job) -> Model | None:
    return session.client().model(job.champion) if job.champion else None


def view(job: Job) -> None:
    model = of(job)
    if model is None:
        st.caption("This job made no model.")
        return
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(border=True):
        st.subheader("Made of", anchor=False)
        members(model)
    with right, st.container(border=True):
        st.subheader("Take it along", anchor=False)
        downloads(model)
    with st.container(border=True):
        st.subheader("What it expects", anchor=False)
        contract(model)


def members(model: Model) -> None:
    if len(model.members) <= 1:
        st.markdown(f"One model, **{words.plain(model.name)}**: a bag of the models of its folds.")
        return
    st.caption("A weighted mean of these models, each a bag of its fold models.")
    table = {"Member": list(model.members), "Weight": [100 * weight for weight in model.weights]}
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "Member": st.column_config.TextColumn("Member", width="medium"),
            "Weight": st.column_config.ProgressColumn(
                "Weight", format="%.0f %%", min_value=0.0, max_value=100.0
            ),
        },
        alt="Members of the ensemble and their weights",
    )


def downloads(model: Model) -> None:
    st.caption(
        f"One ONNX file of {words.size(model.onnx.size)}: the table goes in as it is, "
        "no other file or Python package of ours is needed."
    )
    name = model.job_id
    st.download_button(
        "Model (ONNX)",
        lambda: session.client().model_file(model.id).read_bytes(),
        f"{name}.onnx",
        "application/octet-stream",
        icon=":material/download:",
        type="primary",
        width="stretch",
        on_click="ignore",
        help="Any program with onnxruntime can ask it.",
    )
    st.download_button(
        "Package (ONNX, card, script)",
        lambda: session.studio().serving.package(model.id),
        f"{name}.zip",
        "application/zip",
        icon=":material/folder_zip:",
        width="stretch",
        on_click="ignore",
        help="Predicts on machines that have no FlowML, with onnxruntime and numpy alone.",
    )
    if model.compact is not None:
        st.download_button(
            f"Compact model ({words.size(model.compact.size_bytes)})",
            lambda: session.client().model_file(model.id, compact=True).read_bytes(),
            f"{name}.compact.onnx",
            "application/octet-stream",
            icon=":material/compress:",
            width="stretch",
            on_click="ignore",
            help=f"Scores {words.score(model.compact.score)} where the champion scores "
            f"{words.score(model.score)}.",
        )
    st.download_button(
        "Report (HTML, prints well)",
        lambda: report_of(gather(session.client(), model.id)).encode(),
        f"{name}-report.html",
        "text/html",
        icon=":material/lab_profile:",
        width="stretch",
        on_click="ignore",
        help="Data, split, search, metrics with intervals, importance and limits: one file with its charts.",
    )
    st.download_button(
        "Model card (JSON)",
        json.dumps(model.card, indent=2, ensure_ascii=False),
        f"{name}-card.json",
        "application/json",
        icon=":material/description:",
        width="stretch",
        on_click="ignore",
        help="What the model is made of, how it was trained, what it expects, for programs to read.",
    )
    layout.link(st.container(), "predict", "Ask it", "online_prediction", model=model.id)


def contract(model: Model) -> None:
    columns = model.contract.get("columns", [])
    table = {
        "Column": [column["name"] for column in columns],
        "Kind": [column["kind"] for column in columns],
        "Seen": [_seen(column) for column in columns],
    }
    st.dataframe(table, hide_index=True, alt="Columns that the model expects")


def _seen(column: dict[str, object]) -> str:
    categories = column.get("categories")
    if isinstance(categories, list) and categories:
        return words.listing([str(name) for name in categories], 6)
    low, high = column.get("minimum"), column.get("maximum")
    if column.get("kind") == "datetime":
        return (
            f"{words.moment(_float(low))[:11]} … {words.moment(_float(high))[:11]}" if low is not None else ""
        )
    return f"{words.number(_float(low))} … {words.number(_float(high))}" if low is not None else ""


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
