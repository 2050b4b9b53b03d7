"""One study on many machines: what its lead and the lanes that help it say to each other over Redis.

The lead puts orders, a candidate each, into a stream. Lanes take them through a consumer group, which makes
each a lease: taken with XREADGROUP, renewed with XCLAIM, and found with XAUTOCLAIM when nobody renewed it.
The answers go back in a second stream, and the lead alone judges them: an answer bears the claim of its
order, and whatever was ordered anew has another claim. Only this file speaks to these keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from redis import Redis
from redis.exceptions import ResponseError

from flowml.automl.candidate import Candidate
from flowml.runner.needs import Serves
from flowml.runner.phase import Phase
from flowml.storage.records import Artifact, Json, Record, TrialRecord, read_record, record_of

ORDERS = "flowml:study:{}:orders:{}"
ANSWERS = "flowml:study:{}:answers"
LEAD = "flowml:study:{}:lead"
LANES = "flowml:study:{}:lanes"
JOURNAL = "flowml:study:{}:journal"
KINDS = "flowml:study:{}:kinds"  # of the orders
GROUP = "lanes"
THE_LEAD = "the lead"  # its name among the consumers
JOURNALED: dict[str, type[Record]] = {"asked": Candidate, "trial": TrialRecord, "parcel": Artifact}
KEPT_S = 7 * 86_400
MANY = 1_000


@dataclass(frozen=True)
class Order(Record):
    """One candidate for some lane. `kind` names the stream: what a lane must have to take it."""

    number: int
    claim: str
    kind: str
    candidate: Json

    @property
    def is_sound(self) -> bool:
        """False for what no lead of ours has written."""
        candidate = record_of(Candidate, self.candidate)
        return candidate is not None and candidate.number == self.number >= 0


class Held(NamedTuple):
    """An order with its place in the stream."""

    entry: str
    order: Order


class Word(StrEnum):
    """What an answer says."""

    TAKEN = "taken"
    ENDED = "ended"
    RETURNED = "returned"  # not evaluated: somebody else should
    LEFT = "left"  # the lane is gone, and all that it held is free


@dataclass(frozen=True)
class Answer(Record):
    word: Word
    lane: str
    number: int = -1
    claim: str = ""
    kind: str = ""
    entry: str = ""
    record: TrialRecord | None = None
    parcel: Artifact | None = None  # what the trial left behind, where it is not in the lead's own folder
    cause: str = ""  # why a lane was lost; empty where it left by itself

    @property
    def is_sound(self) -> bool:
        """False for what no lane of ours has written."""
        if self.word is Word.ENDED:
            return self.record is not None and self.record.number == self.number >= 0
        return self.record is None


class Arrived(NamedTuple):
    id: str
    answer: Answer | None  # None for an entry that is none


@dataclass(frozen=True)
class LeadRecord(Record):
    """What a lead says of itself, about once a second; `beat` changes each time."""

    phase: Phase
    left_s: float  # of the search
    attempt: int
    beat: int
    place: str  # where its work folder can be reached: host and data folder
    work: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class LaneRecord(Record):
    """What a helping lane says of itself."""

    name: str
    slots: int  # 0 while it prepares
    beat: int
    place: str
    serves: Serves = field(default_factory=lambda: Serves(0))


class Study:
    """The keys of one study. Every method takes the connection, or a pipeline where it only writes."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self._answers, self._lead = ANSWERS.format(job_id), LEAD.format(job_id)
        self._lanes, self._journal = LANES.format(job_id), JOURNAL.format(job_id)
        self._kinds = KINDS.format(job_id)

    def _orders(self, kind: str) -> str:
        return ORDERS.format(self.job_id, kind)

    # --- the lead -----------------------------------------------------------------------------------------

    def open(self, redis: Redis, kind: str) -> None:
        """To open twice is no error."""
        try:
            redis.xgroup_create(self._orders(kind), GROUP, "0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        redis.sadd(self._kinds, kind)
        for key in (self._orders(kind), self._kinds):
            redis.expire(key, KEPT_S)

    def order(self, redis: Redis, order: Order) -> None:
        redis.xadd(self._orders(order.kind), {"order": json.dumps(order.to_dict())})

    def withdraw(self, redis: Redis, kind: str, entry: str) -> None:
        """Nobody may work on it any more; whoever does finds that it cannot be renewed."""
        redis.xack(self._orders(kind), GROUP, entry)
        redis.xdel(self._orders(kind), entry)

    def outstanding(self, redis: Redis, kind: str) -> tuple[Held, ...]:
        """Orders that are not withdrawn, taken or not."""
        return _held(redis.xrange(self._orders(kind)) or [])

    def overdue(self, redis: Redis, kind: str, silent_s: float) -> tuple[Held, ...]:
        """Orders that their lane has not renewed for so long; they are the lead's now."""
        found: Any = redis.xautoclaim(
            self._orders(kind), GROUP, THE_LEAD, int(silent_s * 1000), "0-0", count=MANY
        )
        return _held(found[1])

    def held_by(self, redis: Redis, kind: str, lane: str) -> tuple[Held, ...]:
        pending = redis.xpending_range(self._orders(kind), GROUP, "-", "+", MANY, consumername=lane)
        ids: list[Any] = [row["message_id"] for row in pending]
        return _held(redis.xclaim(self._orders(kind), GROUP, THE_LEAD, 0, ids)) if ids else ()

    def answers(self, redis: Redis, after: str, block_ms: int) -> tuple[Arrived, ...]:
        found: Any = redis.xread({self._answers: after}, count=MANY, block=block_ms) or []
        return tuple(_arrived(id, fields) for _, entries in found for id, fields in entries)

    def answered(self, redis: Redis, id: str) -> None:
        """Nobody needs to read it again."""
        redis.xdel(self._answers, id)

    def say(self, redis: Redis, lead: LeadRecord) -> None:
        redis.set(self._lead, json.dumps(lead.to_dict()), ex=KEPT_S)

    def lanes(self, redis: Redis) -> dict[str, LaneRecord]:
        found: Any = redis.hgetall(self._lanes)
        lanes = ((_text(name), _lane(text)) for name, text in found.items())
        return {name: lane for name, lane in lanes if lane is not None}

    def forget_lane(self, redis: Redis, name: str) -> None:
        redis.hdel(self._lanes, name)

    def note(self, redis: Redis, line: Json) -> None:
        """A line of the journal, for a lead on another machine."""
        redis.rpush(self._journal, json.dumps(line))
        redis.expire(self._journal, KEPT_S)

    def journal(self, redis: Redis) -> list[Json]:
        return [line for line in map(_line, redis.lrange(self._journal, 0, -1)) if line is not None]

    def forget(self, redis: Redis) -> None:
        """All of it. Lanes that still help see that the study is over."""
        kinds: Any = redis.smembers(self._kinds)
        orders = [self._orders(_text(kind)) for kind in kinds]
        redis.delete(self._answers, self._lead, self._lanes, self._journal, self._kinds, *orders)

    # --- a lane -------------------------------------------------------------------------------------------

    def lead(self, redis: Redis) -> LeadRecord | None:
        """None: the study is over, or has not begun, or nobody can read what stands there."""
        return _lead(redis.get(self._lead))

    def has_lead(self, redis: Redis) -> bool:
        """Whether something stands there; a lead writes it anew every second."""
        return bool(redis.exists(self._lead))

    def take(self, redis: Redis, kinds: Sequence[str], lane: str, count: int) -> tuple[Held, ...]:
        """At most `count` orders, of the first kinds first. Does not wait."""
        taken: tuple[Held, ...] = ()
        for kind in kinds:
            wanted = count - len(taken)
            if wanted > 0:
                found: Any = redis.xreadgroup(GROUP, lane, {self._orders(kind): ">"}, count=wanted) or []
                taken += tuple(held for _, entries in found for held in _held(entries))
        return taken

    def renew(self, redis: Redis, lane: str, held: Iterable[Held]) -> set[str]:
        """The entries that are still ours."""
        by_kind: dict[str, list[str]] = {}
        for entry, order in held:
            by_kind.setdefault(order.kind, []).append(entry)
        ours: set[str] = set()
        for kind, entries in by_kind.items():
            kept: Any = redis.xclaim(self._orders(kind), GROUP, lane, 0, entries, justid=True)  # type: ignore[arg-type]
            ours.update(_text(id) for id in kept)
        return ours

    def answer(self, redis: Redis, answer: Answer) -> None:
        redis.xadd(self._answers, {"answer": json.dumps(answer.to_dict())})

    def join(self, redis: Redis, lane: LaneRecord) -> None:
        redis.hset(self._lanes, lane.name, json.dumps(lane.to_dict()))
        for key in (self._lanes, self._answers):
            redis.expire(key, KEPT_S)

    def leave(self, redis: Redis, lane: str, cause: str = "") -> None:
        """Also on behalf of a lane that cannot speak any more, and then with a cause."""
        redis.hdel(self._lanes, lane)
        self.answer(redis, Answer(Word.LEFT, lane, cause=cause))
        redis.expire(self._answers, KEPT_S)  # it begins anew where the study is over


# Both are read many times before they change.
@lru_cache(maxsize=256)
def _lane(text: bytes) -> LaneRecord | None:
    return read_record(LaneRecord, text)


@lru_cache(maxsize=4)
def _lead(text: bytes | None) -> LeadRecord | None:
    return read_record(LeadRecord, text)


def _held(entries: Any) -> tuple[Held, ...]:
    """Entries that were deleted meanwhile come without fields; whatever else is no order is left out."""
    orders = ((_text(id), read_record(Order, (fields or {}).get(b"order"))) for id, fields in entries)
    return tuple(Held(id, order) for id, order in orders if order is not None and order.is_sound)


def _arrived(id: bytes | str, fields: Any) -> Arrived:
    answer = read_record(Answer, fields.get(b"answer"))
    return Arrived(_text(id), answer if answer is not None and answer.is_sound else None)


def _line(text: bytes | str) -> Json | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) and all(_reads(line, name) for name in line) else None


def _reads(line: Json, name: str) -> bool:
    if name == "used_s":
        return isinstance(line[name], int | float)
    return name in JOURNALED and record_of(JOURNALED[name], line[name]) is not None


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
