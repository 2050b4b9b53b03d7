"""Files for workers of other machines: by pass only, in parts, verified; and a whole job done by one."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from redis import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from flowml.runner import passes
from flowml.runner.cache import Cache
from flowml.runner.connection import connect
from flowml.runner.embedded import read_endpoint
from flowml.runner.joining import join_command
from flowml.runner.remote import Remote
from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage.errors import NotFound, StorageError
from flowml.storage.records import Job, JobSpec
from flowml.ui.app import routes

Run = Callable[..., AbstractContextManager[str]]


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def packing(studio: Studio) -> Starlette:
    """The studio's routes behind the compression that Streamlit's server adds to all answers."""
    return Starlette(
        routes=routes(studio, threading.Event()), middleware=[Middleware(GZipMiddleware, minimum_size=1)]
    )


@pytest.fixture
def redis(studio: Studio) -> Iterator[Redis]:
    endpoint = read_endpoint(studio.settings.home)
    assert endpoint is not None
    client = connect(endpoint.url)
    yield client
    client.close()


@pytest.fixture
def job(studio: Studio, flowers: str) -> Job:
    return studio.client.submit(JobSpec("species", dataset_id=flowers))


@pytest.fixture
def headers(redis: Redis, job: Job) -> dict[str, str]:
    return {"Authorization": f"Bearer {passes.issue(redis, job.id)}"}


def test_a_pass_opens_the_table_of_its_job_in_parts(
    api: httpx.Client, job: Job, headers: dict[str, str]
) -> None:
    url = f"/blobs/{job.dataset_sha256}"
    whole = api.get(url, headers=headers)
    assert (whole.status_code, sha(whole.content)) == (200, job.dataset_sha256)
    rest = api.get(url, headers={**headers, "Range": "bytes=100-"})
    assert (rest.status_code, rest.content) == (206, whole.content[100:])
    assert api.get(f"/blobs/{'0' * 64}", headers=headers).status_code == 404
    assert api.get(url).status_code == 401
    assert api.get(url, headers={"Authorization": "Bearer made-up"}).status_code == 401


def test_what_comes_in_is_verified_and_parcels_are_kept_apart(
    api: httpx.Client, studio: Studio, headers: dict[str, str]
) -> None:
    content = b"a model"
    assert api.put(f"/blobs/{'1' * 64}", content=content, headers=headers).status_code == 422
    assert api.put(f"/blobs/{sha(content)}", content=content).status_code == 401
    assert api.put(f"/blobs/{sha(content)}", content=content, headers=headers).status_code == 204
    kept = studio.settings.artifacts / sha(content)[:2] / sha(content)
    assert kept.read_bytes() == content
    parcel = b"a parcel"
    sent = api.put(f"/blobs/{sha(parcel)}", params={"parcel": "true"}, content=parcel, headers=headers)
    assert sent.status_code == 204
    assert api.get(f"/blobs/{sha(parcel)}", headers=headers).content == parcel
    for gone in (sha(parcel), sha(content)):
        assert api.delete(f"/blobs/{gone}", headers=headers).status_code == 204
    assert api.get(f"/blobs/{sha(parcel)}", headers=headers).status_code == 404
    assert kept.is_file()


def test_a_worker_fetches_sends_and_outlives_a_studio_that_is_away(
    studio: Studio, run: Run, redis: Redis, job: Job, tmp_path: Path
) -> None:
    dataset = studio.client.dataset(job.spec.dataset_id)
    with run(packing(studio)) as address:
        remote = Remote(("http://127.0.0.1:9", address), redis, job.id, Cache(tmp_path, 10**9), 20.0)
        begun = tmp_path / dataset.sha256[:2] / f"{dataset.sha256}.part"
        begun.parent.mkdir()
        begun.write_bytes(
            studio.settings.artifacts.joinpath(begun.parent.name, dataset.sha256).read_bytes()[:99]
        )
        assert sha(remote.fetch(dataset).read_bytes()) == dataset.sha256
        (tmp_path / "parcel").write_bytes(b"left behind")
        sent = remote.send(tmp_path / "parcel")
        for key in redis.keys("flowml:pass:*"):
            redis.delete(key)  # as if it had ended
        with remote.receive(sent) as received:
            assert received.read_bytes() == b"left behind"
        assert not received.exists()
        remote.discard(sent.sha256)
        with pytest.raises(NotFound), remote.receive(sent):
            pass
    gone = Remote((address,), redis, job.id, Cache(tmp_path / "other", 10**9), 0.5)
    with pytest.raises(StorageError, match="does not answer"):
        gone.fetch(dataset)


JOIN = "from flowml.ui.cli.worker import main; main()"


def test_a_machine_joins_by_its_token_and_does_a_whole_job(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shares nothing with the studio but Redis, with an account of its own, and HTTP."""
    home = tmp_path / "studio"
    settings = Settings(home=home, workers=0, cluster_mode="lan", host="127.0.0.1", redis_port=_free_port())
    monkeypatch.setattr("flowml.runner.studio.worker_host", lambda _: "127.0.0.1")
    studio = Studio(settings)
    studio.start()
    try:
        with run(packing(studio)) as address:
            studio.announce(address)
            endpoint = studio.endpoint
            assert endpoint is not None
            told = httpx.get(f"{address}/api/cluster/join").json()
            assert told["command"] == join_command(endpoint)
            assert (told["port"], told["token"]) == (endpoint.port, endpoint.worker_password)
            place = f"redis://worker@127.0.0.1:{endpoint.port}/0"
            worker = subprocess.Popen(
                [sys.executable, "-c", JOIN, "start", "--name", "guest", "--redis", place],
                env={
                    "PATH": os.environ["PATH"],
                    "FLOWML_HOME": str(tmp_path / "guest"),
                    "FLOWML_WORKER_TOKEN": endpoint.worker_password,
                },
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            try:
                rows = "".join(f"{n},{'ab'[n % 2]},{'yes' if n % 4 else 'no'}\n" for n in range(80))
                (tmp_path / "table.csv").write_text(f"x,kind,y\n{rows}")
                dataset = studio.client.add_dataset(tmp_path / "table.csv", "table")
                spec = JobSpec(
                    "y", dataset_id=dataset.id, max_trials=1, algorithms=("logistic",), budget_s=40
                )
                job = studio.client.submit(spec)
                deadline = time.monotonic() + 60
                while studio.client.job(job.id).state.value in ("queued", "running", "finishing"):
                    assert time.monotonic() < deadline
                    assert worker.poll() is None, worker.communicate()[1]
                    time.sleep(0.2)
                ended = studio.client.job(job.id)
                assert (ended.state.value, ended.cause, ended.worker) == ("finished", "", "guest")
                (model,) = studio.client.models(job.id)
                assert studio.client.model_file(model.id).stat().st_size == model.onnx.size
                cached = tmp_path / "guest" / "cache" / dataset.sha256[:2] / dataset.sha256
                assert sha(cached.read_bytes()) == dataset.sha256
            finally:
                worker.send_signal(signal.SIGTERM)
                worker.communicate(timeout=20)
    finally:
        studio.stop()


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
