"""What is sent piece by piece is closed at its end, and where the listener goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from flowml.ui.api.pieces import Pieces
from flowml.ui.api.unlinked import unlinked

SCOPE = {"type": "http", "method": "GET", "asgi": {"spec_version": "2.4"}}


async def never() -> Message:
    await asyncio.sleep(60)
    return {"type": "http.disconnect"}


@pytest.mark.parametrize("heard", [1, 2, 9])
def test_the_source_is_closed_however_long_somebody_listens(heard: int) -> None:
    ended: list[bool] = []

    def source() -> Generator[bytes, None, None]:
        try:
            yield from (b"a", b"b", b"c")
        finally:
            ended.append(True)

    told: list[Message] = []

    async def send(message: Message) -> None:
        if len(told) == heard:
            raise OSError("gone")
        told.append(message)

    made = source()
    try:
        asyncio.run(Pieces(made)(SCOPE, never, send))
    except ClientDisconnect:
        assert heard < 9
    assert ended == [True]
    assert next(made, None) is None


def test_a_file_is_closed_that_nobody_listened_to(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\n")
    answer = unlinked(path, "text/csv", "rows.csv")
    assert isinstance(answer, Pieces)
    path.unlink()

    async def send(_: Message) -> None:
        raise OSError("gone")

    with pytest.raises(ClientDisconnect):
        asyncio.run(answer(SCOPE, never, send))
    assert list(answer._source) == []
