"""How a program asks the same model: over HTTP, from Python, from a shell."""

from __future__ import annotations

import json
import shlex
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from flowml.storage.records import Model


def show(model: Model, row: dict[str, Any]) -> None:
    st.caption("The same model, the same checks and the same number, from a program.")
    url = f"{_origin()}/api/results/model/{model.id}/predict"
    for title, text in (
        ("From a shell", _curl(url, row)),
        ("From Python", _python(url, row)),
        ("Without the studio, from the ONNX file alone", _alone()),
    ):
        st.markdown(f"**{title}**")
        st.code(text, language=None, wrap_lines=True)  # plain: coloured words lack contrast
    st.markdown("All routes are described in the [API's documentation](/api/docs).")


def _origin() -> str:
    parts = urlsplit(st.context.url or "http://127.0.0.1:8501")
    return f"{parts.scheme}://{parts.netloc}"


def _curl(url: str, row: dict[str, Any]) -> str:
    body = shlex.quote(json.dumps({"data": row}, ensure_ascii=False))
    return f"curl -s {url} \\\n  -H 'Content-Type: application/json' \\\n  -d {body}"


def _python(url: str, row: dict[str, Any]) -> str:
    lines = ",\n".join(f"    {name!r}: {value!r}" for name, value in row.items())
    asks = f"answer = httpx.post({url!r}, json={{'data': row}})"
    return f"import httpx\n\nrow = {{\n{lines},\n}}\n{asks}\nprint(answer.json())"


def _alone() -> str:
    return "flowml predict model.onnx rows.csv --out predictions.csv"
