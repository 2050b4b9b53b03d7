from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis, RedisError

from flowml.runner.connection import connect
from flowml.runner.embedded import EmbeddedRedis, Endpoint, find_server, read_endpoint
from flowml.storage.errors import NotReady, StorageError


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(home, find_server())
    yield server
    server.stop()


def client(endpoint: Endpoint) -> Redis:
    return connect(endpoint.url)


def process_id(redis: Redis) -> int:
    return int(redis.info("server")["process_id"])


def test_it_keeps_what_it_holds_over_a_restart_at_the_same_place(server: EmbeddedRedis, home: Path) -> None:
    first = server.start()
    client(first).set("kept", "1")
    server.stop()
    second = server.start()
    assert second == first == read_endpoint(home)
    assert client(second).get("kept") == b"1"


@pytest.mark.parametrize("text", ["", '{"socket": ', "[]", "{}"])
def test_it_starts_where_the_file_that_tells_its_place_was_cut_short(
    server: EmbeddedRedis, home: Path, text: str
) -> None:
    (home / "redis").mkdir(mode=0o700)
    (home / "redis" / "endpoint.json").write_text(text)
    assert read_endpoint(home) is None
    assert server.start() == read_endpoint(home)


def test_only_this_user_can_reach_it(server: EmbeddedRedis, home: Path) -> None:
    endpoint = server.start()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home / "redis").iterdir()}
    assert (modes["endpoint.json"], modes["redis.conf"]) == (0o600, 0o600)
    assert stat.S_IMODE(Path(endpoint.socket).stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "redis").stat().st_mode) == 0o700
    assert client(endpoint).config_get("port") == {"port": "0"}


def test_the_password_is_on_no_command_line(server: EmbeddedRedis) -> None:
    endpoint = server.start()
    process = psutil.Process(process_id(client(endpoint)))
    words = " ".join([*process.cmdline(), *(process.parent() or process).cmdline()])
    assert endpoint.password not in words


def test_a_server_that_is_killed_is_started_again(
    server: EmbeddedRedis, eventually: Callable[..., None]
) -> None:
    redis = client(server.start())
    redis.set("kept", "1")
    killed = process_id(redis)
    os.kill(killed, signal.SIGKILL)

    def another() -> bool:
        try:
            return process_id(redis) != killed
        except RedisError:  # the old one is gone and the new one does not listen yet
            return False

    eventually(another)
    assert redis.get("kept") == b"1"


def test_it_ends_with_its_owner(server: EmbeddedRedis, eventually: Callable[..., None]) -> None:
    """A killed owner's pipe closes as it does here."""
    pid = process_id(client(server.start()))
    assert server._guard is not None
    assert server._guard.stdin is not None
    server._guard.stdin.close()
    server._guard.wait(10)
    eventually(lambda: not psutil.pid_exists(pid))


def test_a_server_without_guard_is_taken_over(
    server: EmbeddedRedis, home: Path, eventually: Callable[..., None]
) -> None:
    redis = client(server.start())
    redis.set("kept", "1")
    orphan = process_id(redis)
    assert server._guard is not None
    server._guard.kill()
    server._guard.wait()
    another = EmbeddedRedis(home, find_server())
    try:
        redis = client(another.start())
        assert redis.get("kept") == b"1"
        assert process_id(redis) != orphan
        eventually(lambda: not psutil.pid_exists(orphan))
    finally:
        another.stop()


def test_a_guard_that_is_killed_is_replaced(server: EmbeddedRedis) -> None:
    redis = client(server.start())
    redis.set("kept", "1")
    server.ensure()
    before = process_id(redis)
    assert server._guard is not None
    server._guard.kill()
    server._guard.wait()
    server.ensure()
    assert redis.get("kept") == b"1"
    assert process_id(redis) != before


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    server = EmbeddedRedis(home, find_server())
    try:
        endpoint = server.start()
        assert len(endpoint.socket) < 100
        assert client(endpoint).ping()
    finally:
        server.stop()


def test_a_server_that_does_not_start_says_why(home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "valkey-server"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(StorageError, match="did not start"):
        EmbeddedRedis(home, broken).start()


def test_an_old_server_on_the_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def put(name: str, version: str) -> Path:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0'\n")
        path.chmod(0o755)
        return path

    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    put("valkey-server", "6.0.9")
    new = put("redis-server", "7.0.15")
    assert find_server() == new
    new.unlink()
    assert find_server().parent != tmp_path


def test_without_any_server_the_ways_out_are_named() -> None:
    from flowml.runner.embedded import _no_server

    assert isinstance(_no_server(), NotReady)
    assert "FLOWML_REDIS_URL" in str(_no_server())
