"""ONNX files of others: looked into and asked in a process with limits, let in by an administrator alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from redis import Redis

from flowml.automl.foreign import ALLOWED, REFUSED, ask, look
from flowml.automl.session import open_session
from flowml.runner import catalog
from flowml.runner.client import Client
from flowml.runner.foreign_apart import ask_in_child, look_in_child
from flowml.runner.settings import Settings
from flowml.storage import garbage
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.errors import (
    BrokenFile,
    ContractError,
    ExportError,
    FileTooLarge,
    FlowMLError,
    NotAllowed,
    NotFound,
)
from flowml.storage.records import ForeignGraph, Port
from tests.runner import foreign_files
from tests.runner.test_rights import ADA, ADMIN, VIEWER


def written(model: object, folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())  # type: ignore[attr-defined]
    return path


def test_a_graph_is_described_and_answers_as_bare_onnxruntime_does(tmp_path: Path) -> None:
    path = written(foreign_files.linear(), tmp_path)
    graph = look_in_child(path)
    assert graph.inputs == (Port("X", "float", (None, 2)),)
    assert graph.outputs == (Port("Y", "float", (None, 1)),)
    assert (graph.operators, graph.producer, graph.ir) == ({"MatMul": 1}, "elsewhere", 10)
    rows = [{"X": [1.5, 2.0]}, {"X": [None, 0]}, {"X": [1e30, -3]}]
    answer = ask_in_child(path, graph, rows)
    X = np.array([[1.5, 2], [np.nan, 0], [1e30, -3]], np.float32)
    (bare,) = onnxruntime.InferenceSession(str(path)).run(None, {"X": X})
    assert answer.outputs["Y"] == [[bare[0, 0]], [None], [bare[2, 0]]]
    assert (answer.rows, answer.seconds > 0) == (3, True)


def test_texts_go_in_and_graphs_of_one_row_are_asked_row_by_row(tmp_path: Path) -> None:
    path = written(foreign_files.words(), tmp_path)
    answer = ask_in_child(path, look_in_child(path), [{"city": "Bonn"}, {"city": ["Ulm"]}, {"city": None}])
    assert answer.outputs == {"Y": [[1.5], [-1.0], [-1.0]]}


def test_probabilities_as_maps_come_out(tmp_path: Path) -> None:
    path = written(foreign_files.classifier(), tmp_path)
    graph = look_in_child(path)
    assert [port.type for port in graph.outputs] == ["string", "map"]
    answer = ask_in_child(path, graph, [{"X": [0, 0]}, {"X": [0, 3]}])
    assert answer.outputs["label"][1] == "yes"
    assert answer.outputs["shares"][0] == {"no": 0.5, "yes": 0.5}


@pytest.mark.parametrize("what", foreign_files.REFUSED)
def test_what_is_not_known_to_be_harmless_is_refused(what: str) -> None:
    make, why = foreign_files.REFUSED[what]
    with pytest.raises((NotAllowed, BrokenFile), match=why):
        look(make().SerializeToString())


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"\x08\x0a", b"x" * 5_000])
def test_what_is_no_onnx_is_broken(content: bytes) -> None:
    with pytest.raises(BrokenFile):
        look(content)


def test_the_other_format_of_onnxruntime_is_not_opened(tmp_path: Path) -> None:
    """Eight bytes make onnxruntime read it; they may begin an ONNX file that looks harmless."""
    path, options = tmp_path / "model.ort", onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(foreign_files.linear().SerializeToString(), options)
    content = path.read_bytes()
    assert content[4:8] == b"ORTM"
    assert onnxruntime.InferenceSession(content).get_inputs()[0].name == "X"
    with pytest.raises(ExportError):
        open_session(content)


def test_what_is_wrong_with_it_comes_out_of_the_process(tmp_path: Path) -> None:
    make, why = foreign_files.REFUSED["values in other files"]
    with pytest.raises(NotAllowed, match=why):
        look_in_child(written(make(), tmp_path))


def test_one_that_takes_too_much_memory_ends_nothing_but_its_own_process(tmp_path: Path) -> None:
    path = written(foreign_files.sized(60_000), tmp_path)  # 14 GB
    with pytest.raises(FlowMLError) as refused:
        ask_in_child(path, look_in_child(path), [{"X": [1, 2]}])
    assert isinstance(refused.value, FileTooLarge | BrokenFile | ContractError)
    assert "memory" in refused.value.message


def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = written(foreign_files.linear(), tmp_path)
    graph = look_in_child(path)
    with pytest.raises(FileTooLarge, match="seconds of computing"):
        ask_in_child(path, graph, [{"X": [1, 2]}], cpu_s=0)


@pytest.mark.parametrize(
    "row", [{}, {"X": [1]}, {"X": [1, 2, 3]}, {"X": ["a", 2]}, {"X": {"a": 1}}, {"X": [1, 2], "Z": 1}]
)
def test_rows_that_do_not_fit_are_refused_with_what_is_expected(row: dict[str, object]) -> None:
    content = foreign_files.linear().SerializeToString()
    with pytest.raises(ContractError) as refused:
        ask(content, look(content), [row])
    assert "2 of float" in refused.value.advice or "takes: X" in refused.value.advice


WHOLE: list[tuple[str, Any, str]] = [
    ("int64", 2.5, "2.5 is no whole number"),
    ("int64", math.inf, "inf is no whole number"),
    ("int64", 2**70, "a number is too large"),
    ("bool", 3, "3 is neither true nor false"),
    ("float", [[1], [1, 2]], "its lists are of different lengths"),
]


@pytest.mark.parametrize(("type_", "value", "why"), WHOLE)
def test_no_number_is_cut_to_fit(type_: str, value: Any, why: str) -> None:
    graph = ForeignGraph((Port("n", type_, (None, None)),), (), {}, {}, 10)
    with pytest.raises(ContractError, match=why):
        ask(b"", graph, [{"n": value}])


def test_no_operator_is_both_let_in_and_refused() -> None:
    assert not REFUSED.keys() & frozenset().union(*ALLOWED.values())


def test_an_administrator_lets_it_in_and_all_may_ask(
    db: Database, datasets: Datasets, redis: Redis, settings: Settings, tmp_path: Path
) -> None:
    artifacts = LocalArtifacts(settings.artifacts)
    client = Client(db, datasets, artifacts, redis, settings, catalog.choices())
    path = written(foreign_files.linear(), tmp_path)
    for who in (ADA, VIEWER):
        with pytest.raises(NotAllowed):
            client.as_person(who).add_foreign(path, "theirs")
    made = client.as_person(ADMIN).add_foreign(path, "theirs", "from the lab")
    assert (made.owner, made.note) == ("root", "from the lab")
    seen = client.as_person(VIEWER)
    assert seen.foreign_models() == (made,)
    assert seen.ask_foreign(made.id, [{"X": [1, 1]}]).outputs == {"Y": [[1.0]]}
    assert garbage.collect(db, artifacts, older_s=0).removed == 0
    with pytest.raises(NotAllowed):
        client.as_person(ADA).remove_foreign(made.id)
    client.as_person(ADMIN).remove_foreign(made.id)
    with pytest.raises(NotFound):
        seen.ask_foreign(made.id, [{"X": [1, 1]}])
    assert garbage.collect(db, artifacts, older_s=0).removed == 1
