"""The journal of a lane: what a new lane on the same work folder needs to go on.

`journal.jsonl` has one JSON object a line: first the study it belongs to, then trials, as they were decided
on and as they ended, and the clock. A line is written after the files it speaks of, and a torn last line is
ignored, so a lane may be killed at any moment. A folder of another study is emptied.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flowml.automl.candidate import Candidate
from flowml.storage.records import DatasetSchema, JobSpec, Json, TrialRecord, TrialState


@dataclass(frozen=True)
class Past:
    """What earlier lanes did in this folder."""

    used_s: float = 0.0
    records: tuple[TrialRecord, ...] = ()
    asked: tuple[Candidate, ...] = ()  # every trial that was decided on, ended or not
    elsewhere: frozenset[int] = frozenset()  # numbers of trials that helpers have

    @property
    def pending(self) -> tuple[Candidate, ...]:
        """Trials that have no end yet, by number."""
        ended = {record.number for record in self.records}
        found = {candidate.number: candidate for candidate in self.asked if candidate.number not in ended}
        return tuple(found[number] for number in sorted(found))


def trial_folder(work: Path, number: int) -> Path:
    """Where a trial leaves its predictions and models."""
    return work / "trials" / str(number)


class Journal:
    def __init__(self, work: Path, spec: JobSpec, schema: DatasetSchema) -> None:
        self._work = work
        self._file = work / "journal.jsonl"
        self._study = _fingerprint(spec, schema)

    def open(self) -> Past:
        """Read on where the last lane stopped; an empty past when there was none or it had another study."""
        self._work.mkdir(parents=True, exist_ok=True)
        past = self._read()
        if past is None:
            for name in ("trials", "champion"):
                shutil.rmtree(self._work / name, ignore_errors=True)
            self._file.write_text(json.dumps({"study": self._study}))
        with self._file.open("a") as file:
            file.write("\n")  # ends a torn line, so that ours do not join it
        return past or Past()

    def asked(self, candidate: Candidate) -> None:
        self._append({"asked": candidate.to_dict()})

    def ended(self, record: TrialRecord, used_s: float) -> None:
        self._append({"trial": record.to_dict(), "used_s": used_s})

    def clock(self, used_s: float) -> None:
        self._append({"used_s": used_s})

    def _append(self, line: Json) -> None:
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def _read(self) -> Past | None:
        lines = list(self._lines())
        if not lines or lines[0].get("study") != self._study:
            return None
        return past_of(lines, lambda record: _whole(self._work, record))

    def _lines(self) -> Iterator[Json]:
        if not self._file.exists():
            return
        for line in self._file.read_text().splitlines():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:  # torn by a kill; the trial is evaluated again
                continue


def past_of(lines: Iterable[Json], counts: Callable[[TrialRecord], bool] = lambda _record: True) -> Past:
    """What the lines of a journal tell, with the records that count."""
    records, asked, used_s = dict[int, TrialRecord](), list[Candidate](), 0.0
    for line in lines:
        used_s = max(used_s, line.get("used_s", 0.0))
        if "trial" in line:
            record = TrialRecord.from_dict(line["trial"])
            records[record.number] = record
        if "asked" in line:
            asked.append(Candidate.from_dict(line["asked"]))
    return Past(used_s, tuple(filter(counts, records.values())), tuple(asked))


def _whole(work: Path, record: TrialRecord) -> bool:
    """A complete trial counts only with the files that the finish reads."""
    return record.state is not TrialState.COMPLETE or trial_folder(work, record.number).is_dir()


def _fingerprint(spec: JobSpec, schema: DatasetSchema) -> str:
    asked = json.dumps([spec.to_dict(), schema.to_dict()], sort_keys=True, default=str)
    return hashlib.sha256(asked.encode()).hexdigest()
