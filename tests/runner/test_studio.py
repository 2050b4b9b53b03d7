from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from redis import Redis

from flowml.runner import facts, local_workers, roster, tending
from flowml.runner.connection import connect
from flowml.runner.embedded import read_endpoint
from flowml.runner.local_workers import LocalWorker, LocalWorkers, Note
from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.runner.tending import Told
from flowml.storage.db import Database
from flowml.storage.errors import Conflict, NotReady, SettingError, StorageError
from flowml.storage.records import JobSpec, JobState

PROGRAM = Path(__file__).with_name("studio_program.py")


@pytest.fixture
def settings(home: Path) -> Settings:
    """With a Redis of its own, and one local worker."""
    return Settings(home=home, lease=3.0, worker_ttl=2.0)


@pytest.fixture
def studio(settings: Settings) -> Iterator[Studio]:
    studio = Studio(settings)
    yield studio
    studio.stop()


def run_program(settings: Settings) -> subprocess.Popen[str]:
    program = subprocess.Popen(
        [sys.executable, str(PROGRAM)], env=settings.to_environ(), stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "running\n", (settings.logs / "studio.log").read_text()
    return program


def own_redis(home: Path) -> Redis:
    endpoint = read_endpoint(home)
    assert endpoint is not None
    return connect(endpoint.url)


def worker_pid(home: Path) -> int:
    (note,) = (home / "workers").glob("*.json")
    return Note.from_dict(json.loads(note.read_text())).pid


def mentions(home: Path) -> list[psutil.Process]:
    """Processes that work for the data folder."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), process.environ().get("FLOWML_HOME", "")]
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if process.pid != os.getpid() and any(str(home) in word for word in words):
            found.append(process)
    return found


def test_it_starts_with_a_worker_and_stops_without_a_trace(
    studio: Studio, home: Path, eventually: Callable[..., None]
) -> None:
    began = time.monotonic()
    studio.start()
    assert time.monotonic() - began < 50
    eventually(lambda: [worker.state for worker in studio.client.workers()] == ["idle"])
    assert studio.client.health()["status"] == "ok"
    studio.stop()
    assert mentions(home) == []
    with pytest.raises(NotReady, match="not running"):
        _ = studio.client
    messages = (home / "logs" / "studio.log").read_text()
    assert "The studio runs on" in messages
    studio.start()
    assert [line.message for line in studio.client.logs(text="has stopped")] != []


def test_a_second_studio_on_the_same_folder_is_refused(studio: Studio, settings: Settings) -> None:
    studio.start()
    with pytest.raises(Conflict, match="Another studio"):
        Studio(settings).start()
    assert studio.client.health()["status"] == "ok"


def test_a_second_studio_on_the_same_redis_is_refused(tmp_path: Path, redis_url: str, redis: Redis) -> None:
    first = Studio(Settings(home=tmp_path / "a", redis_url=redis_url, workers=0))
    first.start()
    second = Studio(Settings(home=tmp_path / "b", redis_url=redis_url, workers=0))
    with pytest.raises(Conflict, match="serves another studio"):
        second.start()
    first.stop()
    second.start()
    second.stop()
    assert not redis.exists("flowml:studio")


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("redis://127.0.0.1:1/0", NotReady, "Redis does not answer"),
        ("http://127.0.0.1", SettingError, "is not the address of a Redis"),
    ],
)
def test_a_start_that_fails_says_why_and_leaves_nothing(
    home: Path, url: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Studio(Settings(home=home, redis_url=url)).start()
    Database(home / "flowml.duckdb").close()
    assert mentions(home) == []


def test_a_database_in_use_is_told_and_leaves_nothing(settings: Settings) -> None:
    code = "import sys, duckdb; held = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(settings.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StorageError, match=rf"in use by process {holder.pid}"):
            Studio(settings).start()
        holder.kill()
    assert mentions(settings.home) == []


def test_a_local_worker_that_is_killed_is_started_again(
    studio: Studio, home: Path, eventually: Callable[..., None]
) -> None:
    studio.start()
    eventually(lambda: studio.client.workers())
    killed = worker_pid(home)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: worker_pid(home) != killed)
    eventually(lambda: [each.pid for each in studio.client.workers()] == [worker_pid(home)])


def test_a_worker_is_started_when_it_is_asked_for_and_lives_as_long_as_the_studio(
    settings: Settings, home: Path, eventually: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_workers, "MOST", 2)
    none = dataclasses.replace(settings, workers=0)
    studio = Studio(none)
    studio.start()
    try:
        assert "flowml workers start" in studio.client.cluster()["advice"][0]
        with own_redis(home) as redis:
            for number in (1, 2):  # as they were before the studio was stopped
                tending.tell(redis, f"{roster.as_name(socket.gethostname())}-local-{number}", Told.PAUSE)
        name = studio.client.start_worker()
        assert studio.client.start_worker() == name  # it is on its way
        eventually(lambda: [each.state for each in studio.client.workers()] == ["idle"])
        assert [each.name for each in LocalWorkers(none).workers] == [name]  # as after the studio was killed
        assert studio.client.start_worker() != name
        eventually(lambda: len(studio.client.workers()) == 2)
        with pytest.raises(Conflict, match="as many as it starts"):
            studio.client.start_worker()
    finally:
        studio.stop()
    assert mentions(home) == []
    assert LocalWorkers(none).workers == ()


@pytest.mark.parametrize("text", ["", '{"pid": 1, ', "[]", '{"pid": "one"}'])
def test_a_note_about_a_worker_that_was_cut_short_keeps_no_studio_from_starting(
    settings: Settings, home: Path, text: str
) -> None:
    (home / "workers").mkdir()
    for name in [worker.name for worker in LocalWorkers(dataclasses.replace(settings, workers=2)).workers]:
        (home / "workers" / f"{name}.json").write_text(text)
    workers = LocalWorkers(settings).workers
    assert len(workers) == 1
    assert workers[0].outlived() is None


def test_those_who_ask_for_a_worker_at_the_same_moment_get_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalWorker, "ensure", lambda _: time.sleep(0.01))
    workers = LocalWorkers(dataclasses.replace(settings, workers=0))
    with ThreadPoolExecutor(4) as pool:
        names = {each.result() for each in [pool.submit(workers.add) for _ in range(4)]}
    assert names == {worker.name for worker in workers.workers}
    assert len(names) == 1


def test_settings_that_have_no_effect_are_told(home: Path) -> None:
    studio = Studio(Settings(home=home, workers=0, cluster_role="worker"))
    studio.start()
    studio.stop()
    assert "FLOWML_CLUSTER_ROLE" in (home / "logs" / "studio.log").read_text()


def command_of(process: psutil.Process) -> list[str]:
    """Nothing of one that has just ended."""
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []


def test_a_job_lives_through_the_death_of_the_studio_and_a_clean_stop(
    settings: Settings, home: Path, eventually: Callable[..., None]
) -> None:
    """kill -9 of the studio, a restart, SIGTERM with the job running, a restart, and the job's end."""
    preparing = Studio(dataclasses.replace(settings, workers=0))
    preparing.start()
    table = home / "table.csv"
    table.write_text("x,y\n" + "".join(f"{row // 3},{'yes' if row > 30 else 'no'}\n" for row in range(60)))
    dataset = preparing.client.add_dataset(table, "table", "table.csv")
    job = preparing.client.submit(JobSpec("y", dataset_id=dataset.id, budget_s=90.0))
    preparing.stop()

    program = run_program(settings)
    redis = own_redis(home)
    eventually(lambda: [worker.job_id for worker in roster.online(redis)] == [job.id], 30)
    eventually(lambda: redis.exists(facts.ATTEMPT.format(job.id)))  # else a later attempt is the first one
    worker = psutil.Process(worker_pid(home))
    assert worker.nice() > psutil.Process().nice() or worker.nice() == 19  # the studio goes first
    program.kill()
    program.communicate()
    eventually(lambda: not any("valkey" in word for each in mentions(home) for word in command_of(each)))
    assert worker.is_running()

    program = run_program(settings)
    eventually(lambda: [each.pid for each in roster.online(redis)] == [worker.pid])
    eventually(lambda: [each.job_id for each in roster.online(redis)] == [job.id])
    program.send_signal(signal.SIGTERM)
    program.communicate(timeout=20)
    assert mentions(home) == []

    last = Studio(settings)
    last.start()
    try:
        assert last.client.job(job.id).state in (JobState.QUEUED, JobState.RUNNING)
        eventually(lambda: last.client.job(job.id).state is JobState.RUNNING)
        eventually(
            lambda: "Going on" in [event.fields.get("text") for event in last.client.events(job.id)], 30
        )
        last.client.cancel(job.id)
        eventually(lambda: last.client.job(job.id).state is JobState.CANCELLED)
    finally:
        last.stop()
    redis.close()
    assert mentions(home) == []
