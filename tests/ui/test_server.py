"""The served studio as a process of its own: how it starts, answers, refuses and ends."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
import streamlit.logger

from flowml.storage.errors import Conflict, FlowMLError, SettingError
from flowml.ui import ahead, bundle
from flowml.ui.app import speak_through_us
from flowml.ui.server import listen

Spawned = Callable[..., subprocess.Popen[str]]
Served = Callable[..., AbstractContextManager[tuple[subprocess.Popen[str], str]]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    (home / "uploads").mkdir()
    (home / "uploads" / "left.part").touch()
    return home


@pytest.fixture(scope="module")
def url(home: Path, served: Served) -> Iterator[str]:
    with served(home) as (_, url):
        yield url


def test_pages_api_and_assets_answer_on_one_port(url: str) -> None:
    assert '<div id="root">' in httpx.get(f"{url}/").text
    assert '<div id="root">' in httpx.get(f"{url}/results").text
    assert httpx.get(f"{url}/dashboard", follow_redirects=True).url.path == "/"
    assert httpx.get(f"{url}/_stcore/health").text == "ok"
    assert httpx.get(f"{url}/api/health").json()["status"] == "ok"
    assert httpx.get(f"{url}/health").json()["status"] == "ok"
    assert httpx.get(f"{url}/api", follow_redirects=True).url.path == "/api/docs/"
    assert httpx.get(f"{url}/api/nothing").json()["code"] == "no_route"
    assert httpx.get(f"{url}/flowml/plotly.min.js").status_code == 200


def test_the_guard_stands_before_all_of_it(url: str) -> None:
    for path in ("/", "/api/health", "/flowml/plotly.min.js"):
        assert httpx.get(url + path, headers={"Host": "evil.example"}).status_code == 403
    foreign = {"Origin": "http://evil.example"}
    assert httpx.post(f"{url}/api/training/start", json={}, headers=foreign).status_code == 403


def test_scripts_are_packed_for_browsers_that_take_them_so(url: str) -> None:
    path = bundle.first()[0]
    plain = httpx.get(url + path, headers={"Accept-Encoding": "identity"})
    packed = httpx.get(url + path, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.content == plain.content
    assert "immutable" in packed.headers["cache-control"]
    assert packed.headers["x-content-type-options"] == "nosniff"


def test_all_that_the_first_visit_loads_can_be_made_ready() -> None:
    assert {Path(path).suffix for path in bundle.first()} == {".js", ".css"}
    assert "flowml.ui.components.explain.parts" in ahead.modules()
    ahead.make_ready()
    assert all(name in sys.modules for name in (*ahead.LATER, *ahead.modules()))


ANSWERS = [
    ("GET", "/results", 200),
    ("GET", "/static/js/nothing.js", 200),  # Streamlit's page
    ("GET", "/flowml/plotly.min.js", 200),
    ("GET", "/_stcore/health", 200),
    ("GET", "/_stcore/host-config", 200),
    ("GET", "/media/nothing.png", 404),
    ("GET", "/component/nothing/x.js", 404),
    ("PUT", "/", 405),
    ("GET", "/login", 303),
    ("GET", "/api", 307),
    ("GET", "/api/docs/", 200),
    ("GET", "/api/nothing", 404),
    ("PATCH", "/api/health", 405),
    ("POST", "/api/training/start", 422),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_has_the_headers(url: str, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, url + path)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "frame-ancestors" in answer.headers["content-security-policy"]
    assert "default-src" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    assert "server" not in answer.headers


def test_streamlit_runs_as_we_want_it(url: str) -> None:
    told = httpx.get(f"{url}/_stcore/host-config").json()
    assert told["enableCustomParentMessages"] is False
    assert httpx.post(f"{url}/_stcore/agent/interact", json={}).status_code in (403, 404, 405)


def test_what_streamlit_logs_is_written_as_all_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamlit.logger, "setup_formatter", speak_through_us)
    logger = streamlit.logger.get_logger("streamlit.made_later")
    assert (logger.propagate, logger.handlers) == (True, [])


def test_leftovers_of_uploads_are_swept(url: str, home: Path) -> None:
    assert httpx.get(f"{url}/api/datasets").json() == []
    assert list((home / "uploads").iterdir()) == []


def test_a_second_studio_on_the_port_or_the_folder_is_refused(
    url: str, home: Path, tmp_path: Path, spawned: Spawned
) -> None:
    port = httpx.URL(url).port or 0
    for process in (spawned(tmp_path, port=port), spawned(home)):
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "Traceback" not in said
        assert len(said.strip().splitlines()) == 1, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_while_events_are_followed(
    tmp_path: Path, served: Served, number: signal.Signals
) -> None:
    with served(tmp_path) as (process, url):
        rows = "\n".join(f"{i},{i % 2}" for i in range(30)).encode()
        dataset = httpx.put(f"{url}/api/datasets/t.csv", content=b"x,y\n" + rows, timeout=30).json()["id"]
        asked = {"dataset_id": dataset, "target_column": "y"}
        job = httpx.post(f"{url}/api/training/start", json=asked).json()["job_id"]
        following = threading.Thread(
            target=httpx.get, args=[f"{url}/api/training/{job}/events"], kwargs={"timeout": 100}
        )
        following.start()
        time.sleep(0.5)
        began = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=90)
        following.join(30)
        assert process.returncode == 0, said
        assert re.search("Traceback|WARN|ERROR", said) is None, said
        assert time.monotonic() - began < 60
        assert not following.is_alive()


def test_addresses_that_cannot_be_had_are_explained() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"Port {port} on 127.0.0.1 is taken"):
            listen("127.0.0.1", port)
    refused: list[tuple[str, int, type[FlowMLError]]] = [
        ("192.0.2.7", 0, SettingError),
        ("no such host", 0, SettingError),
        ("127.0.0.1", 70_000, SettingError),
    ]
    for host, port, kind in refused:
        with pytest.raises(kind):
            listen(host, port)


def test_both_families_can_be_listened_on() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with listen("::1", 0) as socket_6, listen("0.0.0.0", 0) as socket_4:
        assert (socket_6.family, socket_4.family) == (socket.AF_INET6, socket.AF_INET)
