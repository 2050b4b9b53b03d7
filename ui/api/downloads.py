"""What can be downloaded of a model: one row each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from fastapi.responses import FileResponse, Response

from flowml.runner import scripts
from flowml.runner.client import Client
from flowml.runner.serving import ML, Serving
from flowml.storage.errors import InputError
from flowml.storage.records import Model


@dataclass(frozen=True)
class Wanted:
    """Which of the model's files it is about, and who asks for it."""

    client: Client
    model: Model
    compact: bool = False
    ml: int = ML


@dataclass(frozen=True)
class Download:
    key: str
    label: str
    media_type: str
    suffix: str
    content: Callable[[Serving, Wanted], Path | bytes]


def _onnx(serving: Serving, wanted: Wanted) -> Path | bytes:
    return serving.file(wanted.model.id, wanted.compact, wanted.ml)


def _package(serving: Serving, wanted: Wanted) -> bytes:
    return serving.package(wanted.model.id, wanted.compact, wanted.ml)


def _card(_: Serving, wanted: Wanted) -> bytes:
    return json.dumps(wanted.model.card, indent=2, ensure_ascii=False, default=str).encode()


def _script(_: Serving, wanted: Wanted) -> bytes:
    model = wanted.model
    if model.trial is None:
        raise InputError(
            f"{model.name} is made of several rows of the leaderboard, which have a script each.",
            f"Ask for theirs: GET /api/results/job/{model.job_id}/trials/NUMBER/script.",
        )
    return scripts.script_of(wanted.client, model.job_id, model.trial).encode()


DOWNLOADS: tuple[Download, ...] = (
    Download("onnx", "ONNX model", "application/octet-stream", ".onnx", _onnx),
    Download("package", "ONNX, card and script", "application/zip", ".zip", _package),
    Download("card", "Model card", "application/json", ".card.json", _card),
    Download("script", "Python that trains it again", "text/x-python", ".py", _script),
)
VARIANTS = ("champion", "compact")


def download(
    client: Client, serving: Serving, model: Model, key: str, variant: str = VARIANTS[0], ml: int = ML
) -> Response:
    """The file as an answer that browsers save; InputError for a format or variant that there is not."""
    row = next((row for row in DOWNLOADS if row.key == key), None)
    if row is None:
        raise _no("format", key, [row.key for row in DOWNLOADS])
    if variant not in VARIANTS:
        raise _no("variant", variant, VARIANTS)
    compact = variant == "compact"
    content = row.content(serving, Wanted(client, model, compact, ml))
    name = file_name(model, ".compact" * compact + row.suffix)
    if isinstance(content, Path):
        return FileResponse(content, media_type=row.media_type, filename=name)
    return Response(
        content, media_type=row.media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _no(what: str, asked: str, known: Iterable[str]) -> InputError:
    return InputError(f"There is no {what} {asked[:60]!r}.", f"Choose one of: {', '.join(known)}.")


def file_name(model: Model, suffix: str) -> str:
    """A name that every system takes, as `lightgbm-7-model-01j9.onnx`."""
    words = re.sub(r"[^a-z0-9]+", "-", model.name.lower()).strip("-")[:60]
    return "-".join(part for part in (words, model.id) if part) + suffix
