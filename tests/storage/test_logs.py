from __future__ import annotations

from flowml.storage import logs
from flowml.storage.db import Cursor
from flowml.storage.records import Level, LogLine

LINES = (
    LogLine(1.0, Level.DEBUG, "studio", "Opened the database"),
    LogLine(2.0, Level.INFO, "attic", "Trial 3 of LightGBM is complete", job_id="job-1", trial=3),
    LogLine(3.0, Level.WARNING, "attic", "100% of memory_used", job_id="job-1"),
    LogLine(3.0, Level.ERROR, "cellar", "Größe fehlt", job_id="job-2"),
)


def test_lines_come_back_oldest_first(cursor: Cursor) -> None:
    logs.append(cursor, LINES)
    logs.append(cursor, [])
    assert logs.query(cursor) == LINES


def test_each_condition_narrows(cursor: Cursor) -> None:
    logs.append(cursor, LINES)
    assert logs.query(cursor, level=Level.WARNING) == LINES[2:]
    assert logs.query(cursor, source="studio") == LINES[:1]
    assert logs.query(cursor, job_id="job-1") == LINES[1:3]
    assert logs.query(cursor, text="lightgbm") == LINES[1:2]
    assert logs.query(cursor, text="GRÖSSE") == ()
    assert logs.query(cursor, text="größe") == LINES[3:]
    assert logs.query(cursor, text="0%") == LINES[2:3]  # no wildcard
    assert logs.query(cursor, text="") == LINES


def test_without_a_time_the_last_lines_count_and_with_one_those_that_follow(cursor: Cursor) -> None:
    logs.append(cursor, LINES)
    assert logs.query(cursor, limit=2) == LINES[2:]
    assert logs.query(cursor, after=1.0, limit=2) == LINES[1:3]


def test_old_lines_can_be_forgotten(cursor: Cursor) -> None:
    logs.append(cursor, LINES)
    logs.drop_before(cursor, 2.0)
    assert logs.query(cursor) == LINES[1:]
    logs.delete_of_job(cursor, "job-1")
    assert logs.query(cursor) == LINES[3:]
