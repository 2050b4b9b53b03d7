from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from flowml.runner.spool import Line, Spool, replay

LINES = [Line("a", "", 0), Line("b", "job-1", 1), Line("c", "job-1", 1)]


def replayed(folder: Path) -> list[list[Line]]:
    batches: list[list[Line]] = []

    def send(lines: Sequence[Line]) -> None:
        batches.append(list(lines))

    replay(folder, send)
    return batches


def test_what_a_writer_left_is_sent_by_sender(tmp_path: Path) -> None:
    Spool(tmp_path).close(LINES)
    assert replayed(tmp_path) == [LINES[:1], LINES[1:]]
    assert replayed(tmp_path) == []


def test_the_file_of_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.keep(LINES)
    assert replayed(tmp_path) == []
    spool.close(LINES[2:])
    assert replayed(tmp_path) == [LINES[2:]]


def test_a_torn_line_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Spool(tmp_path).close(LINES[:1])
    (file,) = tmp_path.iterdir()
    with file.open("a") as opened:
        opened.write('["b", "job')
    assert replayed(tmp_path) == [LINES[:1]]
    assert "torn" in caplog.text


def test_a_file_stays_when_it_cannot_be_sent(tmp_path: Path) -> None:
    Spool(tmp_path).close(LINES)

    def refuse(_lines: Sequence[Line]) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        replay(tmp_path, refuse)
    assert replayed(tmp_path) == [LINES[:1], LINES[1:]]
