"""A file that is gone as soon as it is sent: it is open, and its folder may be removed at once."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from urllib.parse import quote

from fastapi.responses import StreamingResponse

from flowml.ui.api.pieces import Pieces

BLOCK = 2**20


def unlinked(path: Path, media_type: str, name: str) -> StreamingResponse:
    headers = {
        "Content-Length": str(path.stat().st_size),
        "Content-Disposition": f"attachment; filename*=utf-8''{quote(name)}",
    }
    source = _blocks(path)
    next(source)  # opens it
    return Pieces(source, media_type=media_type, headers=headers)


def _blocks(path: Path) -> Generator[bytes, None, None]:
    with path.open("rb") as file:
        yield b""
        while block := file.read(BLOCK):
            yield block
