from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from flowml.runner import facts
from flowml.runner.facts import new_fact
from flowml.runner.recorder import APPLIED_BY, Recorder
from flowml.storage import jobs, logs, models, trials, workers
from flowml.storage.db import Database
from flowml.storage.records import (
    Artifact,
    Capabilities,
    FactKind,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Json,
    LeaderboardRow,
    LogLine,
    Model,
    Receipt,
    Task,
    TrialRecord,
    TrialState,
    Worker,
)

LINE = {"at": 2e9, "level": "info", "source": "test", "message": ""}


@pytest.fixture
def job(db: Database) -> Job:
    job = Job("job-1", JobKind.TRAINING, JobState.QUEUED, JobSpec("y"), created_at=1.0, queue="cpu")
    with db.write() as cursor:
        jobs.insert(cursor, job)
    return job


def tell(redis: Redis, kind: FactKind, body: Json, id: str = "") -> None:
    facts.add(redis, new_fact(kind, body, id))


def change(redis: Redis, changes: Json, **more: object) -> None:
    tell(redis, FactKind.JOB, {"id": "job-1", "changes": changes, **more})


def test_every_kind_of_fact_is_applied_somewhere() -> None:
    assert set(APPLIED_BY) == set(FactKind)


def test_a_job_goes_its_way(redis: Redis, db: Database, job: Job, record_all: Callable[[], int]) -> None:
    receipt = Receipt(60.0, 59.0, trials={"complete": 2})
    row = LeaderboardRow(1, "a", "lightgbm", 0.9, None, "roc_auc", 1.0, 1.0, 10, TrialState.COMPLETE)
    change(redis, {"state": "running", "worker": "w1", "started_at": 5.0}, no_trial_runs=True)
    change(redis, {"task": "binary", "metric": "roc_auc", "findings": []})
    change(redis, {"state": "running", "worker": "w2", "started_at": 9.0}, no_trial_runs=True)
    change(
        redis,
        {"state": "finished", "ended_at": 60.0, "receipt": receipt.to_dict()},
        leaderboard=[row.to_dict()],
    )
    change(redis, {"state": "running", "worker": "late"})
    assert record_all() == 5
    with db.read() as cursor:
        known = jobs.get(cursor, job.id)
        board = models.leaderboard(cursor, job.id)
    assert (known.state, known.worker, known.started_at) == (JobState.FINISHED, "w2", 5.0)
    assert (known.task, known.metric, known.receipt) == (Task.BINARY, "roc_auc", receipt)
    assert board == (row,)


def test_trials_models_workers_and_lines_arrive(
    redis: Redis, db: Database, job: Job, record_all: Callable[[], int]
) -> None:
    running = TrialRecord(1, "lightgbm", {"a": 1}, TrialState.RUNNING)
    complete = TrialRecord(0, "dummy", {}, TrialState.COMPLETE, score=0.5)
    model = Model("model-1", job.id, "m", "lightgbm", Task.BINARY, "roc_auc", 0.9, 1.0, Artifact("a" * 64, 1))
    worker = Worker("w1", ("cpu",), Capabilities("c", 1, 1, 1, None, 1, 1), 1.0, 2.0)
    for record, best in ((complete, 0.5), (running, None)):
        tell(redis, FactKind.TRIAL, {"job_id": job.id, "record": record.to_dict(), "best_score": best})
    tell(redis, FactKind.MODEL, model.to_dict())
    tell(redis, FactKind.WORKER, worker.to_dict())
    tell(redis, FactKind.LOG, LINE)
    record_all()
    with db.read() as cursor:
        assert trials.list_(cursor, job.id) == (complete, running)
        assert models.list_(cursor) == (model,)
        assert workers.list_(cursor) == (worker,)
        assert logs.query(cursor) == (LogLine.from_dict(LINE),)
        known = jobs.get(cursor, job.id)
    assert (known.trials, known.best_score) == (2, 0.5)


def test_running_trials_are_lost_with_their_attempt(
    redis: Redis, db: Database, job: Job, record_all: Callable[[], int]
) -> None:
    running = TrialRecord(0, "lightgbm", {}, TrialState.RUNNING)
    tell(redis, FactKind.TRIAL, {"job_id": job.id, "record": running.to_dict()})
    change(redis, {"state": "running"}, no_trial_runs=True)
    record_all()
    with db.read() as cursor:
        assert [trial.state for trial in trials.list_(cursor, job.id)] == [TrialState.LOST]


def test_a_fact_that_comes_twice_counts_once(
    redis: Redis, db: Database, record_all: Callable[[], int]
) -> None:
    fact = new_fact(FactKind.LOG, LINE)
    facts.add(redis, fact)
    facts.add(redis, fact)
    record_all()
    facts.add(redis, fact)
    record_all()
    with db.read() as cursor:
        assert len(logs.query(cursor)) == 1
    assert facts.waiting(redis) == 0


def test_what_cannot_be_applied_is_set_aside_with_its_cause(
    redis: Redis, db: Database, record_all: Callable[[], int], caplog: pytest.LogCaptureFixture
) -> None:
    tell(redis, FactKind.LOG, LINE)
    redis.xadd(facts.STREAM, {"fact": "{"})
    tell(redis, FactKind.JOB, {"id": "nobody", "changes": {"state": "running"}})
    tell(redis, FactKind.JOB, {"changes": 5})
    tell(redis, FactKind.LOG, LINE)
    assert record_all() == 5
    with db.read() as cursor:
        assert len(logs.query(cursor)) == 2
    causes = [fields[b"cause"].decode() for _, fields in redis.xrange(facts.REFUSED) or []]
    assert [cause.partition(":")[0] for cause in causes] == ["ValueError", "NotFound", "KeyError"]
    assert "There is no job nobody" in caplog.text


@pytest.mark.parametrize("text", [b"\xff", b'{"id": "\xff"}', b"[" * 100_000, b"", b"null", b'{"id": 1}'])
def test_what_somebody_wrote_into_the_stream_does_not_stop_it(
    redis: Redis, db: Database, job: Job, record_all: Callable[[], int], text: bytes
) -> None:
    redis.xadd(facts.STREAM, {"fact": text})
    redis.xadd(facts.STREAM, {b"\xfe": "x"})
    change(redis, {"state": "running"})
    record_all()
    with db.read() as cursor:
        assert jobs.get(cursor, job.id).state is JobState.RUNNING
    assert redis.xlen(facts.REFUSED) == 2


def test_another_redis_is_read_from_its_beginning(redis: Redis, db: Database) -> None:
    tell(redis, FactKind.LOG, LINE)
    Recorder(redis, db).record()
    redis.flushdb()
    redis.xadd(facts.STREAM, {"fact": facts.encode(new_fact(FactKind.LOG, LINE))}, id="1-1")
    Recorder(redis, db).record()
    with db.read() as cursor:
        assert len(logs.query(cursor)) == 2


RECORD = """
import sys
from pathlib import Path
from flowml.runner.connection import connect
from flowml.runner.recorder import Recorder
from flowml.storage.db import Database
recorder = Recorder(connect(sys.argv[1]), Database(Path(sys.argv[2])))
recorder.start()
print("recording", flush=True)
sys.stdin.read()
"""


def test_no_fact_is_lost_or_doubled_when_the_recorder_is_killed(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    """Two thousand facts, some told twice, a recorder that is killed five times at random moments."""
    chance, path = random.Random(1), tmp_path / "killed.duckdb"
    told = 0
    for _ in range(5):
        recorder = subprocess.Popen(
            [sys.executable, "-c", RECORD, redis_url, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert recorder.stdout is not None
        recorder.stdout.readline()
        deadline = time.monotonic() + chance.uniform(0.2, 0.6)
        while time.monotonic() < deadline or told % 400:
            fact = new_fact(FactKind.LOG, LINE | {"message": str(told)})
            for _ in range(1 + (told % 10 == 0)):
                facts.add(redis, fact)
            told += 1
        recorder.kill()
        recorder.communicate()
    database = Database(path)
    last = Recorder(redis, database)
    while last.record():
        pass
    with database.read() as cursor:
        messages = [int(line.message) for line in logs.query(cursor, limit=1_000_000)]
    database.close()
    assert sorted(messages) == list(range(told))
