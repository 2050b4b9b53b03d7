"""What a lead and its lanes say to each other, on a real Redis; and what the lead makes of it."""

from __future__ import annotations

import dataclasses
import json
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from flowml.automl.candidate import Candidate
from flowml.runner import parcel
from flowml.runner.helpers import Begun, Recalled, Waits
from flowml.runner.inviting import Invitations
from flowml.runner.journal import Past, trial_folder
from flowml.runner.leading import Leading
from flowml.runner.phase import Phase
from flowml.runner.relay import Relay
from flowml.runner.study import Answer, Held, LaneRecord, Order, Study, Word
from flowml.runner.team import Evaluated, Failed
from flowml.runner.transfer import SharedStore
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.errors import StorageError
from flowml.storage.records import (
    Dataset,
    DatasetSchema,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Record,
    TrialRecord,
    TrialState,
)

Eventually = Callable[..., None]
LEASE_S = 1.0
JOB = Job("job-1", JobKind.TRAINING, JobState.RUNNING, JobSpec("y"), 0.0)
DATASET = Dataset("d", "d", 1, "0" * 64, 1, 1, "d.csv", "csv", 0.0, DatasetSchema(1, ()))


@pytest.fixture
def study(redis: Redis) -> Study:
    study = Study(JOB.id)
    study.open(redis, "cpu")
    return study


def order(number: int, claim: str = "c") -> Order:
    return Order(number, f"{claim}{number}", "cpu", Candidate(number, "logistic").to_dict())


def test_a_study_that_is_over_leaves_nothing_that_stays(redis: Redis, study: Study) -> None:
    study.open(redis, "cpu.6g")
    study.join(redis, LaneRecord("w1", 1, 0, "there"))
    study.order(redis, order(1))
    study.forget(redis)
    assert redis.keys("flowml:study:*") == []
    study.leave(redis, "w1")
    assert [redis.ttl(key) > 0 for key in redis.keys("flowml:study:*")] == [True]


def test_bytes_that_are_no_text_are_passed_over(redis: Redis, study: Study) -> None:
    redis.hset("flowml:study:job-1:lanes", b"\xff", b"\xff")
    redis.rpush("flowml:study:job-1:journal", b"\xff")
    redis.xadd("flowml:study:job-1:answers", {b"answer": b"\xff"})
    redis.xadd("flowml:study:job-1:orders:cpu", {b"order": b"\xff"})
    assert (study.lanes(redis), study.journal(redis), study.take(redis, ("cpu",), "w1", 5)) == ({}, [], ())
    assert [arrived.answer for arrived in study.answers(redis, "0", 1)] == [None]


def test_an_order_is_taken_once_and_renewed_by_its_lane_alone(redis: Redis, study: Study) -> None:
    for number in range(3):
        study.order(redis, order(number))
    first = study.take(redis, ("cpu",), "w1", 2)
    second = study.take(redis, ("cpu",), "w2", 2)
    assert [held.order for held in first + second] == [order(0), order(1), order(2)]
    assert study.take(redis, ("cpu",), "w1", 1) == ()
    assert study.renew(redis, "w1", first) == {held.entry for held in first}
    study.withdraw(redis, "cpu", first[0].entry)
    assert study.renew(redis, "w1", first) == {first[1].entry}
    assert [held.order.number for held in study.outstanding(redis, "cpu")] == [1, 2]
    assert [held.order.number for held in study.held_by(redis, "cpu", "w2")] == [2]


def test_what_nobody_renews_is_overdue(redis: Redis, study: Study) -> None:
    study.order(redis, order(0))
    study.order(redis, order(1))
    kept, left = study.take(redis, ("cpu",), "w1", 2)
    time.sleep(0.3)
    study.renew(redis, "w1", [kept])
    assert study.overdue(redis, "cpu", 0.25) == (left,)


def test_a_study_that_is_forgotten_leaves_nothing(redis: Redis, study: Study) -> None:
    study.order(redis, order(0))
    study.note(redis, {"used_s": 1.0})
    study.join(redis, LaneRecord("w1", 1, 1, "here"))
    study.leave(redis, "w1")
    study.forget(redis)
    assert redis.keys("flowml:study:*") == []
    assert study.lead(redis) is None


class Exploit:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def hostile(tmp_path: Path, sound: Record, **changes: Any) -> list[bytes]:
    """What somebody may have written in place of a sound record."""
    wrong = [json.dumps({**sound.to_dict(), name: value}).encode() for name, value in changes.items()]
    return [pickle.dumps(Exploit(tmp_path / "planted")), b"{", b"[]", b"null", b"[" * 100_000, *wrong]


def test_orders_that_no_lead_wrote_are_passed_over(redis: Redis, study: Study, tmp_path: Path) -> None:
    outside = Candidate("../../outside", "logistic").to_dict()  # type: ignore[arg-type]
    entries = [
        *hostile(tmp_path, order(3), number="3", claim=None, kind=5, candidate={"number": 4}),
        json.dumps({**order(3).to_dict(), "number": "../../outside", "candidate": outside}).encode(),
        json.dumps({**order(3).to_dict(), "candidate": {**order(3).candidate, "limit_s": "never"}}).encode(),
    ]
    for entry in entries:
        redis.xadd("flowml:study:job-1:orders:cpu", {"order": entry})
    redis.xadd("flowml:study:job-1:orders:cpu", {"other": "field"})
    study.order(redis, order(3))
    assert [held.order for held in study.take(redis, ("cpu",), "w1", 100)] == [order(3)]
    assert [held.order for held in study.outstanding(redis, "cpu")] == [order(3)]
    assert not (tmp_path / "planted").exists()


class Lead:
    """A lead, and the word of one lane to it."""

    def __init__(self, redis: Redis, study: Study, folder: Path, attempt: int = 1) -> None:
        self.redis, self.study, self.work = redis, study, folder / "work"
        self.work.mkdir(exist_ok=True)
        shared = folder / "artifacts"
        transfer = SharedStore(LocalArtifacts(shared), LocalArtifacts(shared / "parcels"))
        self.relay = Relay("here", self.work, transfer)
        invitations = Invitations(JOB, DATASET, "w1")
        self.leading = Leading(redis, study, self.relay, invitations, self.work, attempt, LEASE_S)

    def begin(self, past: Past | None = None) -> Past:
        past = self.leading.recover(past or Past())
        self.leading.begin()
        self.leading.tell(Phase.SEARCH, 60.0, 1.0)
        return past

    def join(self, name: str = "w2", slots: int = 1, beat: int = 1) -> None:
        self.study.join(self.redis, LaneRecord(name, slots, beat, "there"))

    def take(self, name: str = "w2") -> Held:
        (held,) = self.study.take(self.redis, ("cpu",), name, 1)
        self.say(Word.TAKEN, held, name)
        return held

    def say(self, word: Word, held: Held, name: str = "w2", **more: object) -> None:
        entry, order = held
        answer = Answer(word, name, order.number, order.claim, "cpu", entry)
        self.study.answer(self.redis, dataclasses.replace(answer, **more))  # type: ignore[arg-type]

    def end(self, held: Held, name: str = "w2") -> TrialRecord:
        """As a lane on another machine does it."""
        record = TrialRecord(held.order.number, "logistic", {}, TrialState.COMPLETE, worker=name, score=0.5)
        folder = self.work / f"of-{name}-{held.entry}"
        folder.mkdir()
        (folder / "record.json").write_text(name)
        self.say(Word.ENDED, held, name, record=record, parcel=self.relay.send(folder))
        return record


@pytest.fixture
def lead(redis: Redis, study: Study, tmp_path: Path) -> Iterator[Lead]:
    lead = Lead(redis, study, tmp_path)
    yield lead
    lead.leading.close()


def heard(lead: Lead, count: int, timeout_s: float = 6.0) -> list[object]:
    found: list[object] = []
    deadline = time.monotonic() + timeout_s
    while len(found) < count and time.monotonic() < deadline:
        found += lead.leading.heard()
        time.sleep(0.02)
    return found


def waiting(lead: Lead) -> int:
    return len(lead.study.outstanding(lead.redis, "cpu"))


def test_candidates_are_kept_ahead_of_the_helpers(lead: Lead, eventually: Eventually) -> None:
    lead.begin()
    assert lead.leading.room("cpu") == 0
    lead.join(slots=4)
    eventually(lambda: lead.leading.room("cpu") == 5)
    for number in range(5):
        lead.leading.offer(Candidate(number, "logistic"), "cpu")
    assert lead.leading.room("cpu") == 0


def test_an_answer_comes_with_its_files_and_is_noted_for_a_successor(
    lead: Lead, eventually: Eventually, redis: Redis, tmp_path: Path
) -> None:
    lead.begin()
    lead.leading.offer(Candidate(7, "logistic"), "cpu")
    eventually(lambda: waiting(lead) == 1)
    record = lead.end(lead.take())
    assert heard(lead, 2) == [Begun(7, "w2"), Evaluated(record)]
    assert (trial_folder(lead.work, 7) / "record.json").read_text() == "w2"
    eventually(lambda: waiting(lead) == 0)
    lead.leading.close()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "artifacts").rename(elsewhere / "artifacts")
    successor = Lead(redis, lead.study, elsewhere, attempt=2)
    past = successor.leading.recover(Past())
    assert (past.records, past.used_s, past.pending) == ((record,), 1.0, ())
    assert (trial_folder(successor.work, 7) / "record.json").read_text() == "w2"
    successor.leading.close()


def test_a_late_answer_is_refused_before_and_after_another_lane_has_the_trial(
    lead: Lead, eventually: Eventually
) -> None:
    lead.begin()
    lead.leading.offer(Candidate(0, "logistic"), "cpu")
    eventually(lambda: waiting(lead) == 1)
    late = lead.take("w2")
    assert heard(lead, 1) == [Begun(0, "w2")]
    (lost,) = heard(lead, 1, 3 * LEASE_S + 4)
    assert lost == Waits(0, "Its worker was not heard from")
    lead.end(late, "w2")
    again = lead.take("w3")
    lead.end(late._replace(entry="0-1"), "w2")
    record = lead.end(again, "w3")
    assert heard(lead, 2) == [Begun(0, "w3"), Evaluated(record)]
    assert (trial_folder(lead.work, 0) / "record.json").read_text() == "w3"
    eventually(lambda: waiting(lead) == 0)
    time.sleep(0.3)
    assert lead.leading.heard() == []


def test_what_a_lane_hands_back_or_leaves_is_ordered_anew(lead: Lead, eventually: Eventually) -> None:
    lead.begin()
    lead.leading.offer(Candidate(0, "logistic"), "cpu")
    eventually(lambda: waiting(lead) == 1)
    lead.join("w4")
    lead.say(Word.RETURNED, lead.take())
    assert heard(lead, 2) == [Begun(0, "w2"), Waits(0, "")]
    eventually(lambda: len(lead.study.take(lead.redis, ("cpu",), "w3", 1)) == 1)
    lead.study.leave(lead.redis, "w3")
    assert heard(lead, 1) == [Waits(0, "")]
    eventually(lambda: len(lead.study.take(lead.redis, ("cpu",), "w4", 1)) == 1)


def test_a_trial_that_takes_lane_after_lane_along_has_failed(lead: Lead, eventually: Eventually) -> None:
    lead.begin()
    lead.join("w9")
    lead.leading.offer(Candidate(0, "logistic"), "cpu")
    for number in range(3):
        eventually(lambda name=f"v{number}": len(lead.study.take(lead.redis, ("cpu",), name, 1)) == 1)
        lead.study.leave(lead.redis, f"v{number}", "The process of its worker died")
    told = heard(lead, 3)
    assert [type(word) for word in told] == [Waits, Waits, Failed]
    assert "third time" in str(told[-1])


def test_without_helpers_what_was_offered_comes_back(lead: Lead, eventually: Eventually) -> None:
    lead.begin()
    lead.join()
    eventually(lambda: lead.leading.room("cpu") == 2)
    lead.leading.offer(Candidate(0, "logistic"), "cpu")
    lead.study.leave(lead.redis, "w2")
    assert heard(lead, 1) == [Recalled(Candidate(0, "logistic"))]
    eventually(lambda: waiting(lead) == 0)


def test_a_successor_adopts_what_lanes_still_have(
    lead: Lead, eventually: Eventually, redis: Redis, tmp_path: Path
) -> None:
    lead.begin()
    for number in range(2):
        lead.leading.offer(Candidate(number, "logistic"), "cpu")
        lead.leading.asked(Candidate(number, "logistic"))
    eventually(lambda: waiting(lead) == 2)
    held = lead.take()
    successor = Lead(redis, lead.study, tmp_path, attempt=2)
    asked = (Candidate(0, "logistic"), Candidate(1, "logistic"), Candidate(2, "lasso"))
    past = successor.begin(Past(3.0, asked=asked))
    assert (past.pending, past.elsewhere) == (asked, frozenset({0, 1}))
    record = lead.end(held)
    eventually(lambda: Evaluated(record) in successor.leading.heard())
    time.sleep(1.5)  # by now the first lead has seen that it is not the lead any more
    assert lead.leading.room("cpu") == 0
    successor.leading.close()


def test_answers_that_no_lane_gave_are_passed_over(
    lead: Lead, eventually: Eventually, redis: Redis, tmp_path: Path
) -> None:
    lead.begin()
    lead.leading.offer(Candidate(7, "logistic"), "cpu")
    eventually(lambda: waiting(lead) == 1)
    held = lead.take()
    ended = Answer(Word.ENDED, "w2", 7, held.order.claim, "cpu", held.entry)
    outside = TrialRecord("../../outside", "logistic", {}, TrialState.COMPLETE)  # type: ignore[arg-type]
    for answer in hostile(tmp_path, ended, word="run", number=None, record=outside.to_dict(), parcel="x"):
        redis.xadd("flowml:study:job-1:answers", {"answer": answer})
    redis.xadd("flowml:study:job-1:answers", {"answer": json.dumps(ended.to_dict())})
    for name, text in enumerate(hostile(tmp_path, LaneRecord("w3", 1, 1, "there"), slots="9", serves=[])):
        redis.hset("flowml:study:job-1:lanes", str(name), text)
    record = lead.end(held)
    assert heard(lead, 2) == [Begun(7, "w2"), Evaluated(record)]
    eventually(lambda: redis.xlen("flowml:study:job-1:answers") == 0)
    assert lead.leading.room("cpu") == 0
    assert not (tmp_path / "planted").exists()


def test_a_journal_that_no_lead_wrote_is_passed_over(redis: Redis, study: Study, tmp_path: Path) -> None:
    record = TrialRecord(7, "logistic", {}, TrialState.COMPLETE)
    study.note(redis, {"trial": record.to_dict(), "used_s": 1.0})
    for line in (
        *hostile(tmp_path, record, number="7"),
        b'{"trial": {"number": "../../outside"}}',
        b'{"asked": []}',
        b'{"used_s": "long"}',
        b'{"run": "this"}',
    ):
        redis.rpush("flowml:study:job-1:journal", line)
    assert study.journal(redis) == [{"trial": record.to_dict(), "used_s": 1.0}]
    assert not (tmp_path / "planted").exists()


def test_a_lead_that_names_a_folder_elsewhere_is_sent_its_files(lead: Lead, tmp_path: Path) -> None:
    """Nothing is moved, or cleared away, at a place that a study cannot have."""
    victim = tmp_path / "victim" / "work" / "trials" / "0"
    left = tmp_path / "left"
    for folder in (victim, left):
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(folder.name)
    assert lead.relay.hand_over(left, 0, str(tmp_path / "victim" / "work"), "here") is not None
    assert lead.relay.hand_over(left, 0, str(tmp_path / "x" / ".." / "victim" / "work"), "here") is not None
    assert (victim / "record.json").read_text() == "0"
    assert lead.relay.hand_over(left, 0, str(tmp_path / "lead"), "here") is None
    assert (tmp_path / "lead" / "trials" / "0" / "record.json").read_text() == "left"


def test_a_parcel_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    with pytest.raises(StorageError, match="cannot be unpacked"):
        parcel.unpack(tmp_path / "bad.zip", tmp_path / "0")
    import zipfile

    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as packed:
        packed.writestr("../../evil", "x")
    with pytest.raises(StorageError, match="no parcel"):
        parcel.unpack(tmp_path / "evil.zip", tmp_path / "0")
    assert not (tmp_path / "0").exists()
