"""What tests of the screen share: real servers in threads, on free ports, and a real studio behind them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.ui.app import routes

Serve = Callable[[ASGIApp], str]

SERVE = """
import sys
from pathlib import Path
from flowml.runner.settings import Settings
from flowml.storage.errors import FlowMLError
from flowml.ui.server import serve
try:
    settings, port = Settings(home=Path(sys.argv[1]), workers=int(sys.argv[3])), int(sys.argv[2])
    serve(settings, "127.0.0.1", port, lambda _, url: print(url, flush=True))
except FlowMLError as error:
    sys.exit(str(error))
"""


@pytest.fixture(scope="module", autouse=True)
def quick_reading(forks: None) -> None:
    """A file is read in hundredths of a second."""


@contextlib.contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """The address at which the application answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as the studio's own
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


@pytest.fixture(scope="session")
def run() -> Callable[[ASGIApp], contextlib.AbstractContextManager[str]]:
    """Serves an application as long as its block lasts."""
    return running


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A started studio without workers, in a data folder of its own: jobs wait in their queue."""
    settings = Settings(home=tmp_path_factory.mktemp("studio"), workers=0, upload_limit=2_000_000)
    studio = Studio(settings)
    studio.start()
    studio.client._local_workers = None  # jobs wait: no route starts a worker
    yield studio
    studio.stop()


@pytest.fixture(scope="session")
def api_address(studio: Studio) -> Iterator[str]:
    """Where the routes of that studio answer, without Streamlit and without the guard."""
    with running(Starlette(routes=routes(studio, threading.Event()))) as address:
        yield address


@pytest.fixture(scope="session")
def api(api_address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{api_address}/api", timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def flowers(api: httpx.Client) -> str:
    """The id of a table of 60 rows, with a name, a number and a species of two kinds."""
    lines = [f"f{i},{i % 7 + (i % 2) * 3}.5,{'rose' if i % 2 else 'lily'}" for i in range(60)]
    content = "\n".join(["name,petals,species", *lines])
    answer = api.put("/datasets/flowers.csv", content=content.encode())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    """Serves applications until the module's tests have run."""
    with contextlib.ExitStack() as stack:
        yield lambda app: stack.enter_context(running(app))


def spawn(home: Path, *, port: int = 0, workers: int = 0) -> subprocess.Popen[str]:
    """A studio as a process of its own; it prints its address when it answers."""
    command = [sys.executable, "-c", SERVE, str(home), str(port), str(workers)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


@contextlib.contextmanager
def serving(home: Path, *, workers: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A served studio and its address. It is told to end afterwards, and killed if it does not."""
    process = spawn(home, workers=workers)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http"), process.communicate(timeout=10)
        yield process, url
    finally:
        process.terminate()
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            pytest.fail("the studio did not end within 20 s of SIGTERM")


@pytest.fixture(scope="session")
def spawned() -> Callable[..., subprocess.Popen[str]]:
    return spawn


@pytest.fixture(scope="session")
def served() -> Callable[..., contextlib.AbstractContextManager[tuple[subprocess.Popen[str], str]]]:
    return serving
