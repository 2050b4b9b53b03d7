"""A file that is gone as soon as it is sent: it is open, and its folder may be removed at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from fastapi.responses import StreamingResponse

BLOCK = 2**20


def unlinked(path: Path, media_type: str, name: str) -> StreamingResponse:
    file = path.open("rb")

    def pieces() -> Iterator[bytes]:
        with file:
            while block := file.read(BLOCK):
                yield block

    headers = {
        "Content-Length": str(path.stat().st_size),
        "Content-Disposition": f"attachment; filename*=utf-8''{quote(name)}",
    }
    return StreamingResponse(pieces(), media_type=media_type, headers=headers)
