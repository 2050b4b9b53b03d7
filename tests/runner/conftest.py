"""A real Redis for the tests of the runner: one server of our own, emptied before each test."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from redis import Redis

from flowml.runner.connection import connect
from flowml.runner.embedded import EmbeddedRedis, find_server
from flowml.runner.facts import read
from flowml.runner.recorder import Recorder
from flowml.runner.settings import Settings
from flowml.runner.waiting import wait_until
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.datasets import Datasets, _dataset, insert
from flowml.storage.db import Database
from flowml.storage.intake import Intake, convert
from flowml.storage.records import Dataset, FactKind, Json

WORKBENCH = Path(__file__).with_name("workbench.py")


@pytest.fixture(scope="module", autouse=True)
def quick_reading(forks: None) -> None:
    """A file is read in hundredths of a second."""


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"), find_server())
    yield server.start().url
    server.stop()


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    client = connect(redis_url)
    client.flushdb()
    yield client
    client.close()


@pytest.fixture
def settings(home: Path, redis_url: str) -> Settings:
    """Impatient ones: leases of three seconds; and frugal ones: no worker loads ahead."""
    return Settings(home=home, redis_url=redis_url, lease=3.0, worker_ttl=2.0, workers=0, load_ahead=0.0)


@pytest.fixture
def db(home: Path) -> Iterator[Database]:
    database = Database(home / "flowml.duckdb")
    yield database
    database.close()


@pytest.fixture
def datasets(db: Database, settings: Settings) -> Datasets:
    return Datasets(db, LocalArtifacts(settings.artifacts), settings.upload_limit)


@pytest.fixture(scope="session")
def small_table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Intake]:
    """Sixty rows in which x tells y, read once: a child process takes a second for it."""
    folder = tmp_path_factory.mktemp("small")
    table, target = folder / "small.csv", folder / "small.parquet"
    rows = range(60)
    pl.DataFrame(
        {
            "x": [row // 3 + 0.5 for row in rows],
            "colour": [("red", "green", "blue")[row % 3] for row in rows],
            "y": ["yes" if row >= 30 else "no" for row in rows],
        }
    ).write_csv(table)
    return target, convert(table, "small.csv", target, 10**9)


@pytest.fixture
def dataset(db: Database, settings: Settings, small_table: tuple[Path, Intake]) -> Dataset:
    """The small table as a dataset."""
    path, intake = small_table
    kept = LocalArtifacts(settings.artifacts).put_file(path)
    with db.write() as cursor:
        return insert(cursor, _dataset("small", "small.csv", intake, kept))


@pytest.fixture
def record_all(redis: Redis, db: Database) -> Callable[[], int]:
    """Records what waits; answers how many facts."""
    recorder = Recorder(redis, db)

    def run() -> int:
        return sum(iter(recorder.record, 0))

    return run


@pytest.fixture
def told(redis: Redis) -> Callable[[FactKind], list[Json]]:
    """Bodies of the facts of one kind that wait in the stream."""

    def look(kind: FactKind) -> list[Json]:
        return [each.fact.body for each in read(redis, count=10_000) if each.fact and each.fact.kind is kind]

    return look


class WorkerProcess:
    """A worker whose jobs may be the functions of the workbench."""

    def __init__(self, name: str, settings: Settings, log: Path, *more: str) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as words:
            self.process = subprocess.Popen(
                [sys.executable, str(WORKBENCH), name, *more],
                env={**settings.to_environ(), "PATH": "/usr/bin:/bin"},
                stdout=words,
                stderr=words,
                start_new_session=True,
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self, timeout_s: float = 10) -> int:
        self.process.terminate()
        return self.process.wait(timeout_s)


@pytest.fixture
def start_worker(settings: Settings, tmp_path: Path, redis: Redis) -> Iterator[Callable[..., WorkerProcess]]:
    """Starts workers that are online when it returns."""
    started: list[WorkerProcess] = []

    def start(name: str, **changes: Any) -> WorkerProcess:
        """`changes` are settings that differ from those of the studio."""
        own = dataclasses.replace(settings, **changes)
        worker = WorkerProcess(name, own, tmp_path / f"{name}.log")
        started.append(worker)
        online = wait_until(lambda: redis.exists(f"rq:worker:{name}") == 1, 60)
        assert online, worker.log.read_text()
        return worker

    yield start
    for worker in started:
        if worker.process.poll() is None:
            worker.kill()


@pytest.fixture
def worker_process() -> type[WorkerProcess]:
    """For tests that bring their own Redis."""
    return WorkerProcess


@pytest.fixture
def eventually() -> Callable[..., None]:
    def check(ready: Callable[[], object], timeout_s: float = 60.0) -> None:
        started = time.monotonic()
        assert wait_until(lambda: bool(ready()), timeout_s), f"not within {time.monotonic() - started:.1f} s"

    return check
