"""A model predicts the same numbers through every door, or refuses with an error of ours."""

from __future__ import annotations

import numpy as np
import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.onnx import build
from flowml.storage.errors import FlowMLError
from flowml.storage.records import Task
from tests.automl.onnx.champions import Trained, train
from tests.doors.champions import refitted
from tests.doors.doors import DOORS, Everybody, House
from tests.doors.hostile import HOSTILE

SAME = 1e-6


@pytest.fixture(scope="module")
def every_algorithm() -> dict[str, Trained]:
    return {key: train(min(row.tasks), (key,)) for key, row in ALGORITHMS.items()}


@pytest.fixture(scope="module")
def house(every_algorithm: dict[str, Trained], tmp_path_factory: pytest.TempPathFactory) -> House:
    """In which a small model of each algorithm is asked, and a champion whose members learned all rows."""
    models = {key: build(each.contract, each.members) for key, each in every_algorithm.items()}
    keys = ("logistic", "lightgbm", "catboost")
    champion, content = refitted(tmp_path_factory.mktemp("refitted"), Task.BINARY, keys)
    assert any("learned all rows" in note for note in champion.notes)
    return House(Everybody(models | {"all rows": content}), tmp_path_factory.mktemp("doors"))


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("name", HOSTILE)
def test_every_algorithm_answers_alike_through_every_door(house: House, name: str) -> None:
    hostile = HOSTILE[name]
    doors = {door: ask for door, ask in DOORS.items() if hostile.only in ("", door)}
    if hostile.refused:
        for ask in doors.values():
            with pytest.raises(FlowMLError):
                ask(house, hostile)
        return
    answers = {door: ask(house, hostile) for door, ask in doors.items() if door not in hostile.not_by}
    usual = answers["Python"]
    size = np.maximum(1.0, abs(usual))  # of numbers that are no probabilities
    for door, found in answers.items():
        assert found.shape == usual.shape, door
        assert np.isfinite(found).all(), door
        assert (abs(found - usual) / size).max(initial=0.0) <= SAME, door


@pytest.mark.parametrize("name", [name for name, hostile in HOSTILE.items() if not hostile.refused])
def test_each_surprise_is_told_with_its_column(house: House, name: str) -> None:
    hostile = HOSTILE[name]
    told: dict[str, str] = {}
    for warning in house.warm.predict(hostile.rows()).warnings:
        told[warning.column] = f"{told.get(warning.column, '')} {warning}"
    assert told.keys() == hostile.told.keys()
    assert all(part in told[column] for column, part in hostile.told.items())
