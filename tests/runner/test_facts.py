from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from flowml.runner import facts, spool
from flowml.runner.connection import connect
from flowml.runner.embedded import EmbeddedRedis, find_server
from flowml.runner.facts import FactWriter
from flowml.storage.records import FactKind


def test_facts_arrive_with_their_ids(redis: Redis, tmp_path: Path) -> None:
    with FactWriter(redis, tmp_path, "test") as writer:
        first = writer.put(FactKind.LOG, {"message": "one"})
        second = writer.put(FactKind.LOG, {"message": "two"}, id="mine")
    arrived = facts.read(redis)
    assert [each.fact for each in arrived] == [first, second]
    assert second.id == "mine"
    assert list(tmp_path.iterdir()) == []


def test_reading_goes_on_and_what_was_read_is_taken_out(redis: Redis) -> None:
    for number in range(5):
        facts.add(redis, facts.new_fact(FactKind.LOG, {"number": number}))
    first = facts.read(redis, count=2)
    facts.trim(redis, first[-1].id)
    rest = facts.read(redis, after=first[-1].id)
    assert [each.fact.body["number"] for each in rest if each.fact] == [2, 3, 4]
    assert facts.waiting(redis) == 3


def test_an_entry_that_is_no_fact_is_seen_as_such(redis: Redis) -> None:
    redis.xadd(facts.STREAM, {"fact": "{"})
    redis.xadd(facts.STREAM, {"fact": '{"kind": "unheard of"}'})
    redis.xadd(facts.STREAM, {"other": "1"})
    assert [each.fact for each in facts.read(redis)] == [None, None, None]


def test_an_attempt_that_was_overtaken_changes_nothing(
    redis: Redis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    earlier = facts.begin_attempt(redis, "job-1")
    with FactWriter(redis, tmp_path, "earlier", "job-1", earlier) as writer:
        writer.put(FactKind.JOB, {"id": "job-1", "by": "earlier"})
        writer.flush(5)
        later = facts.begin_attempt(redis, "job-1")
        writer.put(FactKind.JOB, {"id": "job-1", "by": "earlier, late"})
    with FactWriter(redis, tmp_path, "later", "job-1", later) as writer_of_later:
        writer_of_later.put(FactKind.JOB, {"id": "job-1", "by": "later"})
    assert [each.fact.body["by"] for each in facts.read(redis) if each.fact] == ["earlier", "later"]
    assert (writer.fenced, writer_of_later.fenced) == (True, False)
    assert "are left out" in caplog.text


def test_facts_wait_on_the_disk_while_redis_is_away(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / "home", find_server())
    redis = connect(server.start().url)
    server.stop()
    folder = tmp_path / "spool"
    writer = FactWriter(redis, folder, "test")
    for number in range(3):
        writer.put(FactKind.LOG, {"number": number})
    writer.close(timeout_s=0.2)
    assert len(list(folder.iterdir())) == 1

    server.start()
    assert spool.replay(folder, lambda lines: facts.send(redis, lines)) == 3
    assert [each.fact.body["number"] for each in facts.read(redis) if each.fact] == [0, 1, 2]
    assert list(folder.iterdir()) == []
    redis.close()
    server.stop()


def test_a_job_that_has_ended_is_known(redis: Redis) -> None:
    assert not facts.has_ended(redis, "job-1")
    facts.mark_ended(redis, "job-1")
    assert facts.has_ended(redis, "job-1")
    facts.forget_attempts(redis, "job-1")
    assert not facts.has_ended(redis, "job-1")
