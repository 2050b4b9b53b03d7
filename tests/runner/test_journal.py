"""What was done is found again, whatever moment the last lane was killed at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flowml.runner.journal import Journal, Past
from flowml.storage.records import Column, DatasetSchema, JobSpec, Role, TrialRecord, TrialState

SCHEMA = DatasetSchema(3, (Column("age", "integer", Role.NUMERIC),))
SPEC = JobSpec("churn")
DONE = TrialRecord(0, "dummy", {}, TrialState.COMPLETE, score=0.5)
FAILED = TrialRecord(1, "catboost", {}, TrialState.FAILED, cause="It outran its time.")


def written(work: Path) -> Journal:
    journal = Journal(work, SPEC, SCHEMA)
    assert journal.open() == Past()
    (work / "trials" / "0").mkdir(parents=True)
    journal.ended(DONE, 4.5)
    journal.ended(FAILED, 9.0)
    journal.clock(11.0)
    return journal


def test_a_second_lane_goes_on(tmp_path: Path) -> None:
    written(tmp_path)
    assert Journal(tmp_path, SPEC, SCHEMA).open() == Past(11.0, (DONE, FAILED))


def test_another_study_starts_anew(tmp_path: Path) -> None:
    written(tmp_path)
    assert Journal(tmp_path, replace(SPEC, seed=1), SCHEMA).open() == Past()
    assert not (tmp_path / "trials").exists()


def test_a_torn_last_line_is_ignored_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    journal = written(tmp_path)
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write('{"trial": {"number": 2, "algo')
    journal = Journal(tmp_path, SPEC, SCHEMA)
    assert journal.open().records == (DONE, FAILED)
    journal.clock(12.0)
    assert Journal(tmp_path, SPEC, SCHEMA).open().used_s == 12.0


def test_a_trial_without_its_files_is_done_again(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "trials" / "0").rmdir()
    assert Journal(tmp_path, SPEC, SCHEMA).open().records == (FAILED,)
