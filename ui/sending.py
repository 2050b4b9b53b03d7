"""A file sent to a studio in parts, each with its checksum; it goes on after a cut."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from flowml.storage.errors import NotReady
from flowml.ui.api.bodies.datasets import DatasetAnswer
from flowml.ui.api.bodies.uploads import UploadAnswer

TRIES = 6  # without a byte more than before
READING = httpx.Timeout(60.0, read=4 * 3600.0)  # a large table takes its time

Ask = Callable[..., httpx.Response]


def send(
    ask: Ask, path: Path, name: str, table: str, sent: Callable[[int], None] = lambda _: None
) -> DatasetAnswer:
    """`ask` makes one request, and raises NotReady where no studio answers; `sent` hears how far it is."""
    upload = bring(ask, path, sent)
    asked = {"name": name, "table": table}
    answer = ask("POST", f"uploads/{upload.id}/finish", json=asked, timeout=READING)
    return DatasetAnswer.model_validate_json(answer.content)


def bring(ask: Ask, path: Path, sent: Callable[[int], None] = lambda _: None) -> UploadAnswer:
    """All bytes of the file, as an upload that is yet to be finished."""
    size = path.stat().st_size
    upload = _told(ask("POST", "uploads", json={"name": path.name, "size": size}))
    tried = 0
    with ThreadPoolExecutor(1, "part") as ahead:
        coming = ahead.submit(_part, path, upload.received, upload.part_bytes)
        while upload.received < size:
            before, part = upload.received, coming.result()
            coming = ahead.submit(_part, path, part.end, upload.part_bytes)  # while this one is sent
            try:
                upload = _send_part(ask, part, upload)
            except NotReady:
                if tried >= TRIES:
                    raise
                time.sleep(0.2 * 2**tried)
                tried += 1
                upload = _resumed(ask, upload)
            if upload.received != part.end:
                coming = ahead.submit(_part, path, upload.received, upload.part_bytes)
            tried = 0 if upload.received > before else tried
            sent(upload.received)
    return upload


@dataclass(frozen=True)
class _Part:
    first: int
    content: bytes
    sha256: str

    @property
    def end(self) -> int:
        return self.first + len(self.content)


def _part(path: Path, first: int, most: int) -> _Part:
    with path.open("rb") as file:
        file.seek(first)
        content = file.read(most)
    return _Part(first, content, hashlib.sha256(content).hexdigest())


def _send_part(ask: Ask, part: _Part, upload: UploadAnswer) -> UploadAnswer:
    headers = {
        "Content-Range": f"bytes {part.first}-{part.end - 1}/{upload.size}",
        "X-Part-SHA256": part.sha256,
    }
    return _told(ask("PUT", f"uploads/{upload.id}", content=part.content, headers=headers))


def _resumed(ask: Ask, upload: UploadAnswer) -> UploadAnswer:
    try:
        return _told(ask("GET", f"uploads/{upload.id}"))
    except NotReady:
        return upload  # still away: the next part tells


def _told(answer: httpx.Response) -> UploadAnswer:
    return UploadAnswer.model_validate_json(answer.content)
