"""What can be downloaded of a model: one row each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi.responses import FileResponse, Response

from flowml.runner.client import Client
from flowml.storage.errors import InputError
from flowml.storage.records import Model


@dataclass(frozen=True)
class Download:
    key: str
    label: str
    media_type: str
    suffix: str
    content: Callable[[Client, Model], Path | bytes]


def _onnx(client: Client, model: Model) -> Path:
    return client.model_file(model.id)


def _card(_: Client, model: Model) -> bytes:
    return json.dumps(model.card, indent=2, ensure_ascii=False, default=str).encode()


DOWNLOADS: tuple[Download, ...] = (
    Download("onnx", "ONNX model", "application/octet-stream", ".onnx", _onnx),
    Download("card", "Model card", "application/json", ".card.json", _card),
)


def download(client: Client, model: Model, key: str) -> Response:
    """The file as an answer that browsers save; InputError for a format that is none of the rows."""
    row = next((row for row in DOWNLOADS if row.key == key), None)
    if row is None:
        keys = ", ".join(row.key for row in DOWNLOADS)
        raise InputError(f"There is no format {key[:60]!r}.", f"Choose one of: {keys}.")
    content = row.content(client, model)
    name = file_name(model, row.suffix)
    if isinstance(content, Path):
        return FileResponse(content, media_type=row.media_type, filename=name)
    return Response(
        content, media_type=row.media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def file_name(model: Model, suffix: str) -> str:
    """A name that every system takes, as `lightgbm-7-model-01j9.onnx`."""
    words = re.sub(r"[^a-z0-9]+", "-", model.name.lower()).strip("-")[:60]
    return "-".join(part for part in (words, model.id) if part) + suffix
