"""What tests of the screen share: a real server in a thread, on a free port of this machine."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from starlette.types import ASGIApp

Serve = Callable[[ASGIApp], str]


@contextlib.contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """The address at which the application answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, lifespan="off", log_level="error", ws="websockets-sansio", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    """Serves applications until the module's tests have run."""
    with contextlib.ExitStack() as stack:
        yield lambda app: stack.enter_context(running(app))
