"""ONNX files of others over REST, from Python and from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from flowml.ui.cli import app
from flowml.ui.client import Studio
from tests.runner import foreign_files


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    path = tmp_path / "theirs.onnx"
    path.write_bytes(foreign_files.linear().SerializeToString())
    return path


def test_it_is_let_in_asked_and_removed(api: httpx.Client, theirs: Path) -> None:
    form = {"files": {"file": ("theirs.onnx", theirs.read_bytes())}, "data": {"note": "from the lab"}}
    made = api.post("/foreign", **form)  # type: ignore[arg-type]
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["name"], told["note"], told["operators"]) == ("theirs", "from the lab", {"MatMul": 1})
    assert told["inputs"] == [{"name": "X", "type": "float", "shape": [None, 2]}]
    place = f"/foreign/{told['id']}"
    assert api.get(place).json() == told
    assert told in api.get("/foreign").json()
    one = api.post(f"{place}/predict", json={"data": {"X": [3, 1]}}).json()
    assert (one["outputs"], one["rows"]) == ({"Y": [5.0]}, 1)
    two = api.post(f"{place}/predict", json={"data": [{"X": [3, 1]}, {"X": [0, 1]}]}).json()
    assert two["outputs"] == {"Y": [[5.0], [-1.0]]}
    unfit = api.post(f"{place}/predict", json={"data": {"X": [1]}})
    assert (unfit.status_code, unfit.json()["code"]) == (422, "contract")
    assert api.delete(place).status_code == 204
    assert api.get(place).json()["code"] == "not_found"


def test_what_is_not_let_in_is_refused_with_the_reason(api: httpx.Client) -> None:
    make, why = foreign_files.REFUSED["an operator that is on no list"]
    answer = api.post("/foreign", files={"file": ("bad.onnx", make().SerializeToString())})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert why in answer.json()["detail"]
    assert api.post("/foreign", files={"file": ("bad.onnx", b"no")}).status_code == 422


def test_so_from_python_and_from_the_command_line(api_address: str, theirs: Path, tmp_path: Path) -> None:
    row = tmp_path / "row.json"
    row.write_text(json.dumps({"X": [3, 1]}))

    def say(*words: str) -> str:
        said = CliRunner().invoke(app, ["foreign", *words, "--studio", api_address])
        assert said.exit_code == 0, said.output
        return said.output

    id = json.loads(say("add", str(theirs), "--name", "lab", "--json"))["id"]
    assert "lab" in say("list")
    assert "X float[any×2]" in say("show", id)
    assert json.loads(say("predict", id, str(row))) == {"Y": [5.0]}
    with Studio(api_address) as studio:
        assert studio.ask_foreign(id, [{"X": [1, 1]}]).outputs == {"Y": [[1.0]]}
        assert studio.foreign_model(id).producer == "elsewhere"
    say("remove", id, "--yes")
    assert id not in say("list")
