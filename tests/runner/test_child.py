"""The trial child by itself: what it answers to commands, and that it ends when nobody holds its pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import polars as pl
import pytest

from flowml.automl.candidate import Candidate
from flowml.runner.slot import CHILD
from flowml.storage.records import JobSpec
from flowml.storage.schema import infer

CHATTY = """
import ctypes, os, sys
from flowml.runner import child
def chat(bench, command):
    print("a word from Python")
    os.write(1, b"a word from below\\n")
    bench.say("chatted")
child.COMMANDS["chat"] = chat
child.main()
"""


class Talk:
    """A child and the two ends of its pipes."""

    def __init__(self, command: tuple[str, ...] = CHILD) -> None:
        self.process = subprocess.Popen(
            [*command, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )
        assert self._pipe("stdout").readline() == b'{"answer": "ready"}\n'

    def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        self._pipe("stdin").write(json.dumps({"command": command, **fields}).encode() + b"\n")
        self._pipe("stdin").flush()
        return self.hear()

    def hear(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._pipe("stdout").readline())
        return answer

    def hang_up(self) -> tuple[int, str]:
        self._pipe("stdin").close()
        words = self._pipe("stderr").read().decode()
        self._pipe("stdout").close()
        self._pipe("stderr").close()
        return self.process.wait(10), words

    def _pipe(self, name: str) -> IO[bytes]:
        pipe: IO[bytes] = getattr(self.process, name)
        return pipe


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    yield talk
    if talk.process.poll() is None:
        talk.hang_up()


@pytest.fixture(scope="module")
def prepare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The fields of a command that gives the child a small table."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(120, 2))
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "price": 3 * x[:, 0] + draw.normal(size=120)})
    table = tmp_path_factory.mktemp("table") / "table.parquet"
    frame.write_parquet(table)
    spec = JobSpec("price")
    return {"table": str(table), "schema": infer(frame).to_dict(), "spec": spec.to_dict(), "threads": 1}


def evaluate(talk: Talk, work: Path, *candidates: Candidate) -> list[dict[str, Any]]:
    common = {"work": str(work), "deadline_s": 20.0, "threads": 1}
    answers = [talk.ask("evaluate", candidate=candidate.to_dict(), **common) for candidate in candidates]
    return [answer["record"] for answer in answers]


def test_a_table_is_prepared_once_and_serves_trial_after_trial(
    talk: Talk, prepare: dict[str, Any], tmp_path: Path
) -> None:
    prepared = talk.ask("prepare", **prepare)
    assert prepared["answer"] == "prepared"
    assert prepared["summary"]["task"] == "regression"
    assert prepared["shape"]["rows"] == 120
    records = evaluate(
        talk, tmp_path, Candidate(0, "dummy"), Candidate(1, "ridge", {"alpha": "x"}), Candidate(2, "dummy")
    )
    assert [record["state"] for record in records] == ["complete", "failed", "complete"]
    assert records[1]["cause"]
    assert (tmp_path / "trials" / "0").is_dir()
    finish = {"work": str(tmp_path), "records": records, "deadline_s": 20.0, "threads": 1, "pace": 1.0}
    kept = [talk.ask("finish", **finish), talk.hear()]
    assert [(each["answer"], each["folder"]) for each in kept] == [
        ("insured", "insured"),
        ("insured", "unfinished"),
    ]
    for folder in ("insured", "unfinished"):
        assert {"model.onnx", "card.md"} <= {path.name for path in (tmp_path / folder).iterdir()}
    finished = talk.hear()
    assert finished["answer"] == "finished"
    assert finished["champion"]["algorithm"] == "dummy"
    assert {"model.onnx", "card.md"} <= {path.name for path in (tmp_path / "champion").iterdir()}


def test_what_goes_wrong_is_an_answer_and_the_child_stays(talk: Talk, prepare: dict[str, Any]) -> None:
    wrong = {**prepare, "spec": JobSpec("prize").to_dict()}
    refused = talk.ask("prepare", **wrong)
    assert (refused["answer"], refused["code"]) == ("error", "unknown_column")
    assert "price" in refused["advice"]
    early = talk.ask("evaluate", candidate=Candidate(0, "dummy").to_dict(), work="", deadline_s=1, threads=1)
    assert early["answer"] == "error"
    broken = talk.ask("prepare", **{**prepare, "threads": "many"})
    assert (broken["answer"], broken["code"]) == ("error", "error")
    assert talk.ask("prepare", **prepare)["answer"] == "prepared"


def test_it_ends_when_its_lane_is_gone(talk: Talk) -> None:
    code, _ = talk.hang_up()
    assert code != 1


def test_it_does_not_start_for_a_lane_that_is_gone_already() -> None:
    process = subprocess.run([*CHILD, "1"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert process.returncode == 1
    assert process.stdout == b""


def test_prints_never_mix_with_answers() -> None:
    talk = Talk((sys.executable, "-c", CHATTY))
    assert talk.ask("chat") == {"answer": "chatted"}
    assert talk.ask("chat") == {"answer": "chatted"}
    _, words = talk.hang_up()
    assert "a word from below" in words
