"""The stream of facts: what must reach DuckDB exactly once. Only this file speaks to it.

A fact is sent until Redis has it, so it may arrive twice; its id makes that harmless. While Redis is away the
facts wait in memory and, so that even a killed process loses none, in a file of the spool folder, from where
the next process on the machine sends them. Facts about a job bear the number of its attempt: once a later
attempt has begun, an earlier one, whose lease was lost, can change nothing any more.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from redis import Redis

from flowml.runner.outbox import Outbox
from flowml.runner.spool import Line, Spool
from flowml.storage.records import Fact, FactKind, Json

STREAM = "flowml:facts"
MOST_READ = 500  # at once
REFUSED = "flowml:facts:refused"  # facts that could not be applied, kept for those who ask why
REFUSED_LENGTH = 1_000
ATTEMPT = "flowml:job:{}:attempt"
ENDED = "flowml:job:{}:ended"
KEPT_S = 30 * 86_400

# KEYS: stream, attempt of the job. ARGV: attempt of the sender, facts... Answers 0 if a later attempt began.
_SEND_FENCED = """
local attempt = tonumber(redis.call('GET', KEYS[2]) or '0')
if attempt > tonumber(ARGV[1]) then return 0 end
for index = 2, #ARGV do redis.call('XADD', KEYS[1], '*', 'fact', ARGV[index]) end
return 1
"""

log = logging.getLogger(__name__)


class Arrived(NamedTuple):
    """An entry of the stream; `fact` is None where the entry is none."""

    id: str
    fact: Fact | None
    text: str


def begin_attempt(redis: Redis, job_id: str) -> int:
    """Number of this attempt at a job; facts of all earlier ones are refused from now on."""
    with redis.pipeline(transaction=True) as pipeline:
        pipeline.incr(ATTEMPT.format(job_id))
        pipeline.expire(ATTEMPT.format(job_id), KEPT_S)
        return int(pipeline.execute()[0])


def mark_ended(redis: Redis, job_id: str) -> None:
    """Every fact of the job has been sent; it must not be run again, whatever RQ thinks."""
    redis.set(ENDED.format(job_id), 1, ex=KEPT_S)


def has_ended(redis: Redis, job_id: str) -> bool:
    return bool(redis.exists(ENDED.format(job_id)))


def forget_attempts(redis: Redis, job_id: str) -> None:
    redis.delete(ATTEMPT.format(job_id), ENDED.format(job_id))


def new_fact(kind: FactKind, body: Json, id: str = "") -> Fact:
    return Fact(id=id or uuid.uuid4().hex, kind=kind, at=time.time(), body=body)


def encode(fact: Fact) -> str:
    return json.dumps(fact.to_dict(), ensure_ascii=False, separators=(",", ":"))


def add(redis: Redis, fact: Fact) -> None:
    """Sends one fact at once, for callers that can wait or that have a pipeline."""
    redis.xadd(STREAM, {"fact": encode(fact)})


def wait(redis: Redis, after: str, at_most_s: float) -> None:
    """Until there is an entry that follows `after`."""
    redis.xread({STREAM: after}, count=1, block=max(1, round(at_most_s * 1000)))


def read(redis: Redis, after: str = "0", count: int = MOST_READ) -> tuple[Arrived, ...]:
    """Entries that follow `after`, oldest first."""
    entries = redis.xrange(STREAM, min=f"({after}", count=count) or []
    return tuple(_arrived(_text(id), fields) for id, fields in entries if id is not None and fields)


def trim(redis: Redis, read_to: str) -> None:
    """Takes out what has been applied, the entry `read_to` included."""
    milliseconds, _, sequence = read_to.partition("-")
    redis.xtrim(STREAM, minid=f"{milliseconds}-{int(sequence or 0) + 1}", approximate=False)


def refuse(redis: Redis, arrived: Arrived, cause: str) -> None:
    """Sets aside a fact that cannot be applied, so that those behind it can."""
    redis.xadd(REFUSED, {"fact": arrived.text, "cause": cause}, maxlen=REFUSED_LENGTH, approximate=True)


def waiting(redis: Redis) -> int:
    """How many facts have arrived that are not applied yet."""
    return redis.xlen(STREAM)


class FactWriter:
    """Sends facts from a thread of its own; `put` never waits and nothing is dropped.

    With a job and its attempt the facts are fenced; `fenced` is True once a later attempt has begun.
    """

    def __init__(self, redis: Redis, spool: Path, name: str, job_id: str = "", attempt: int = 0) -> None:
        self._redis = redis
        self._job_id = job_id
        self._attempt = attempt
        self._spool = Spool(spool)
        self._outbox: Outbox[Line] = Outbox(self._send, f"facts of {name}", away=self._spool.keep)
        self.fenced = False

    def put(self, kind: FactKind, body: Json, id: str = "") -> Fact:
        """The fact on its way. Give the same `id` to tell the same fact again."""
        fact = new_fact(kind, body, id)
        self._outbox.put(Line(encode(fact), self._job_id, self._attempt))
        return fact

    def flush(self, timeout_s: float) -> bool:
        """Whether Redis has all that was put; waits for that at most so long."""
        return self._outbox.flush(timeout_s)

    def close(self, timeout_s: float = 5.0) -> None:
        """What Redis has not taken by then stays in the spool folder."""
        self._spool.close(self._outbox.close(timeout_s))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, batch: list[Line]) -> None:
        self.fenced = not send(self._redis, batch) or self.fenced
        if self._outbox.empty:
            self._spool.clear()


def send(redis: Redis, batch: Sequence[Line]) -> bool:
    """Sends facts of one sender. False if a later attempt at their job has begun: they are left out."""
    job_id, attempt = batch[0].job_id, batch[0].attempt
    texts = [line.text for line in batch]
    if not job_id:
        with redis.pipeline(transaction=False) as pipeline:
            for text in texts:
                pipeline.xadd(STREAM, {"fact": text})
            pipeline.execute()
        return True
    sent = bool(redis.eval(_SEND_FENCED, 2, STREAM, ATTEMPT.format(job_id), str(attempt), *texts))
    if not sent:
        log.warning(
            "%d facts of attempt %d at %s are left out: a later one runs", len(texts), attempt, job_id
        )
    return sent


def _arrived(id: str, fields: dict[Any, Any]) -> Arrived:
    text = next((_text(value) for name, value in fields.items() if _text(name) == "fact"), "")
    try:
        return Arrived(id, Fact.from_dict(json.loads(text)), text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # not JSON, or not a fact
        return Arrived(id, None, text)


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
