"""The log as it grows, as Server-Sent Events."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from threading import Event as Flag
from typing import NamedTuple

import anyio
from anyio import to_thread
from pydantic_core import to_json

from flowml.runner.client import Client
from flowml.storage.records import Level, LogLine
from flowml.ui.api.stream import KEEPALIVE_S

POLL_S = 0.5
LATE_S = 15.0  # a line may arrive so long after it was said, from another machine
REMEMBERED = 20_000
MOST = 2_000


class Wanted(NamedTuple):
    text: str | None
    level: Level | None
    source: str | None
    job_id: str | None


async def follow(
    client: Client, wanted: Wanted, last: int, stopping: Flag, still_in: Callable[[], bool]
) -> AsyncIterator[str]:
    """The last lines, then each that follows, until the session ends or the studio stops."""
    began, spoken = time.time(), time.monotonic()
    seen: deque[LogLine] = deque(maxlen=REMEMBERED)
    known: set[LogLine] = set()
    first = await to_thread.run_sync(lambda: client.logs(*wanted, limit=last)) if last else ()
    lines = list(first)
    while not stopping.is_set() and await to_thread.run_sync(still_in):
        for line in lines:
            if line in known:
                continue
            if len(seen) == REMEMBERED:
                known.discard(seen[0])
            seen.append(line)
            known.add(line)
            spoken = time.monotonic()
            yield f"event: line\ndata: {to_json(line.to_dict()).decode()}\n\n"
        if time.monotonic() - spoken > KEEPALIVE_S:
            spoken = time.monotonic()
            yield ": still here\n\n"
        await anyio.sleep(POLL_S)
        after = max(began, time.time() - LATE_S)
        lines = list(await to_thread.run_sync(client.logs, *wanted, after, MOST))
