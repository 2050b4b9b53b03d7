"""Machines that join: what they may do on our Redis, who is refused, and how they find us."""

from __future__ import annotations

import dataclasses
import json
import socket
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, ResponseError

from flowml.runner import about, queue
from flowml.runner.bell import Listening
from flowml.runner.connection import connect
from flowml.runner.embedded import MAY, EmbeddedRedis, find_server, read_endpoint, renew_token
from flowml.runner.joining import join_command, with_token, worker_host
from flowml.runner.settings import Settings
from flowml.runner.study import Study
from flowml.runner.taking import Taker
from flowml.runner.worker import run_worker
from flowml.storage.errors import Conflict, NotReady

LONG_S = 300.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_worker_account_works_and_cannot_administer(home: Path) -> None:
    server = EmbeddedRedis(home, find_server(), "127.0.0.1", free_port())
    endpoint = server.start()
    try:
        command = join_command(endpoint)
        assert command.startswith(
            f"FLOWML_WORKER_TOKEN={endpoint.worker_password} flowml-worker start --redis "
        )
        url = with_token(command.rpartition(" ")[2], endpoint.worker_password)
        worker = connect(url)
        queue.invite(worker, "job-1", {})
        study = Study("job-1")
        study.open(worker, "cpu")
        study.take(worker, ("cpu",), "w1", 1)
        study.forget(worker)
        worker.publish("rq:pubsub:x", "y")
        queue.next_job(worker, ("cpu",), Taker("w1"))
        Listening(worker).wait(LONG_S)
        forbidden = (
            ("CONFIG", "GET", "*"),
            ("FLUSHALL",),
            ("KEYS", "*"),
            ("SHUTDOWN",),
            ("ACL", "LIST"),
            ("SET", "another", "1"),
            ("SCRIPT", "FLUSH"),
            ("FUNCTION", "FLUSH"),
            ("SCAN", "0"),
            ("RANDOMKEY",),
            ("CLIENT", "LIST"),
        )
        for words in forbidden:
            with pytest.raises(ResponseError, match=r"[Nn]o permissions|unknown command"):
                worker.execute_command(*words)  # type: ignore[no-untyped-call]
        renewed = renew_token(home)
        assert renewed.worker_password != endpoint.worker_password
        assert read_endpoint(home) == renewed
        for stale in (url, url.replace("worker:", ":")):
            with pytest.raises(AuthenticationError):
                connect(stale).ping()
        assert connect(with_token(command.rpartition(" ")[2], renewed.worker_password)).ping()
    finally:
        server.stop()


def test_a_server_of_version_6_2_understands_what_workers_may() -> None:
    """It refuses to start with `-command|part`, and with channels where all were given before."""
    words = MAY.split()
    assert words[0] == "resetchannels"
    assert [word for word in words if word.startswith("-") and "|" in word] == []


def test_unless_asked_redis_listens_to_this_machine_alone(home: Path) -> None:
    server = EmbeddedRedis(home, find_server())
    endpoint = server.start()
    server.stop()
    assert endpoint.port == 0
    assert "port 0" in (home / "redis" / "redis.conf").read_text().splitlines()
    with pytest.raises(Conflict, match="open to this machine alone"):
        renew_token(home)


def test_a_token_is_put_where_the_password_belongs() -> None:
    assert with_token("redis://worker@10.0.0.5:8502/0", "a/b") == "redis://worker:a%2Fb@10.0.0.5:8502/0"
    assert with_token("redis://[::1]:8502/0", "t") == "redis://worker:t@[::1]:8502/0"
    assert with_token("redis://:own@10.0.0.5/0", "t") == "redis://:own@10.0.0.5/0"
    assert with_token("unix:///s.sock", "t") == "unix:///s.sock"


def test_the_address_for_workers_follows_from_the_settings(home: Path) -> None:
    settings = Settings(home=home)
    assert worker_host(settings) == ""
    lan = dataclasses.replace(settings, cluster_mode="lan", host="10.1.2.3")
    assert worker_host(lan) == "10.1.2.3"
    with pytest.raises(NotReady, match="tailscale"):
        worker_host(dataclasses.replace(settings, cluster_mode="tailscale"))


def test_a_worker_of_the_same_versions_is_welcome(redis: Redis, tmp_path: Path) -> None:
    assert about.shake_hands(redis) is None
    about.mark_folder(tmp_path)
    about.announce(redis, about.folder_id(tmp_path), ("http://127.0.0.1:1",))
    said = about.shake_hands(redis)
    assert said is not None
    assert (said.urls, said.store) == (("http://127.0.0.1:1",), about.folder_id(tmp_path))
    assert len(said.store) == 32


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "9.9"}, ("studio of 9.9", "flowml-studio==9.9")),
        ({"pins": {**about.pins(), "lightgbm": "1.2"}}, ("1.2 there", "pip install lightgbm==1.2")),
    ],
)
def test_a_worker_of_other_versions_is_refused(
    redis: Redis, settings: Settings, change: dict[str, object], words: tuple[str, str]
) -> None:
    about.announce(redis, "")
    told = {**json.loads(redis.get(about.KEY) or b"{}"), **change}
    redis.set(about.KEY, json.dumps(told))
    with pytest.raises(Conflict) as refusal:
        run_worker(settings)
    for word in words:
        assert word in str(refusal.value)
