"""WS /api/ws: what happens in the studio, as JSON messages, to who may know."""

from __future__ import annotations

import contextlib
import queue

import anyio
from anyio import to_thread
from fastapi import APIRouter, WebSocket
from pydantic_core import to_json
from starlette.websockets import WebSocketDisconnect, WebSocketState

from flowml.runner.news import News
from flowml.ui.api.access import person_now, person_of

router = APIRouter(tags=["live"])

WAIT_S = 0.25
CHECK_S = 5.0  # how often it is asked whether the listener is still signed in
ENDED, GOING_AWAY = 1008, 1001


@router.websocket("/ws")
async def tell_news(socket: WebSocket) -> None:
    """Messages such as {"event": "training_progress", "at": …, "job_id": …}; what comes in is not read."""
    studio, who = socket.app.state.studio, person_of(socket)
    await socket.accept()
    with studio.newsroom.listen() as heard:
        as_now = person_now(socket)
        async with anyio.create_task_group() as group:
            group.start_soon(_wait_for_the_end, socket, group.cancel_scope)
            checked = anyio.current_time()
            while not socket.app.state.stopping.is_set():
                for news in await to_thread.run_sync(_take, heard, abandon_on_cancel=True):
                    if who.sees(news.project):
                        await socket.send_text(written(news))
                if anyio.current_time() - checked > CHECK_S:
                    checked = anyio.current_time()
                    found = await to_thread.run_sync(as_now, who)
                    if found is None:
                        await socket.close(ENDED, "The session has ended, or it may see less now.")
                        return
                    who = found  # by now in more projects, it may be
            group.cancel_scope.cancel()
    if socket.client_state is WebSocketState.CONNECTED:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(GOING_AWAY, "The studio stops.")


def written(news: News) -> str:
    return to_json({"event": news.kind, "at": news.at, **news.fields}, inf_nan_mode="null").decode()


def _take(heard: queue.Queue[News]) -> list[News]:
    """All that waits; after a moment, nothing."""
    found = []
    with contextlib.suppress(queue.Empty):
        found.append(heard.get(timeout=WAIT_S))
        while True:
            found.append(heard.get_nowait())
    return found


async def _wait_for_the_end(socket: WebSocket, scope: anyio.CancelScope) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive()
            if socket.client_state is WebSocketState.DISCONNECTED:
                break
    scope.cancel()
