from __future__ import annotations

import math

import pytest
from redis import Redis

from flowml.runner import events
from flowml.runner.events import EventWriter, decode, encode
from flowml.storage.records import EventKind

VALUES = ["", "text", "1e5", "null", "true", '"quoted"', " 12", 12, -0.5, 1e300, True, False, None, "ümläut"]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_field_comes_back_as_it_was(value: object) -> None:
    back = decode(encode(value))
    assert (back, type(back)) == (value, type(value))


def test_a_number_that_is_none_stays_one() -> None:
    assert math.isnan(decode(encode(math.nan)))


def test_events_are_read_on_from_the_last(redis: Redis) -> None:
    with EventWriter(redis, "job-1") as writer:
        writer.tell(EventKind.STAGE, text="Searching")
        writer.tell(EventKind.TRIAL_FINISHED, number=3, score=0.5, cause="", algorithm="12")
    first, second = events.read(redis, "job-1")
    assert (first.kind, first.fields) == (EventKind.STAGE, {"text": "Searching"})
    assert second.fields == {"number": 3, "score": 0.5, "cause": "", "algorithm": "12"}
    assert events.read(redis, "job-1", after=first.id) == (second,)
    assert events.read(redis, "job-1", after=second.id) == ()
    assert events.last_id(redis, "job-1") == second.id
    assert events.last_id(redis, "job-2") == "0"


def test_the_latest_event_of_a_kind_is_found_behind_others(redis: Redis) -> None:
    assert events.latest(redis, "job-1", EventKind.STATE) is None
    with EventWriter(redis, "job-1") as writer:
        writer.tell(EventKind.STATE, elapsed_s=1.0)
        writer.tell(EventKind.STATE, elapsed_s=2.5)
        writer.tell(EventKind.STAGE, text="Searching")
    found = events.latest(redis, "job-1", EventKind.STATE)
    assert found is not None
    assert found.fields == {"elapsed_s": 2.5}


def test_a_kind_of_a_newer_sender_is_passed_over(redis: Redis) -> None:
    redis.xadd(events.STREAM.format("job-1"), {"kind": "new", "at": "1.0"})
    assert events.read(redis, "job-1") == ()


def test_the_stream_is_trimmed_and_goes_by_itself(redis: Redis) -> None:
    with EventWriter(redis, "job-1", length=100) as writer:
        for number in range(1500):
            writer.tell(EventKind.STATE, number=number)
    stream = events.STREAM.format("job-1")
    assert redis.xlen(stream) < 400
    assert 0 < redis.ttl(stream) <= events.KEPT_S
    events.forget(redis, "job-1")
    assert events.read(redis, "job-1") == ()


def test_what_somebody_else_wrote_is_passed_over(redis: Redis) -> None:
    for fields in (
        {"kind": "log"},
        {"at": "1"},
        {"kind": "log", "at": "noon"},
        {b"\xff": b"\xfe", "kind": b"\xff", "at": "1"},
        {"kind": "log", "at": "1", "text": "[" * 100_000},
    ):
        redis.xadd(events.STREAM.format("job-1"), fields)
    redis.xadd(events.STREAM.format("job-1"), {"kind": "log", "at": "7"})
    assert [event.at for event in events.read(redis, "job-1")] == [1.0, 7.0]
    assert events.last_id(redis, "job-1")
