"""A champion in a real studio and at the real command line answers hostile rows as it does from its file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowml.automl.serve import Predictor
from flowml.storage.errors import ContractError
from flowml.storage.records import Task
from tests.doors.champions import refitted
from tests.doors.doors import House, numbers_of
from tests.doors.hostile import HOSTILE
from tests.doors.served import Served, at_the_command_line, difference, served

ASKED = {name: hostile for name, hostile in HOSTILE.items() if not hostile.only}
AT_THE_COMMAND_LINE = (
    "unseen categories",
    "a word for a number",
    "dates of polars",
    "no column that is known",
)
SAME = 1e-6


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    folder = tmp_path_factory.mktemp("served")
    _, content = refitted(folder, Task.MULTICLASS, ("logistic", "lightgbm", "xgboost"))
    (folder / "model.onnx").write_bytes(content)
    return House(Predictor(content), folder)


@pytest.fixture(scope="module")
def studio(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """One that knows the model, and its id there."""
    with served(tmp_path_factory.mktemp("home")) as studio:
        yield studio, studio.add((house.folder / "model.onnx").read_bytes())


@pytest.mark.parametrize("name", ASKED)
def test_over_http_the_numbers_are_those_of_the_file(
    house: House, studio: tuple[Served, str], name: str
) -> None:
    hostile, (there, model) = ASKED[name], studio
    if hostile.refused:
        with pytest.raises(ContractError):
            there.ask(model, hostile)
        return
    assert difference(there.ask(model, hostile), numbers_of(house.warm.predict(hostile.rows()))) <= SAME


@pytest.mark.parametrize("name", AT_THE_COMMAND_LINE)
def test_so_they_are_at_the_command_line(house: House, tmp_path: Path, name: str) -> None:
    hostile, model = HOSTILE[name], house.folder / "model.onnx"
    if hostile.refused:
        with pytest.raises(ContractError, match="None of the columns"):
            at_the_command_line(model, hostile, tmp_path)
        return
    found = at_the_command_line(model, hostile, tmp_path)
    assert difference(found, numbers_of(house.warm.predict(hostile.rows()))) <= SAME
