"""An answer sent piece by piece whose source is closed also where nobody listens to the end."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class Pieces(StreamingResponse):
    def __init__(self, source: Generator[bytes, None, None], **more: Any) -> None:
        super().__init__(source, **more)
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._source.close()
