"""Where trials go: by device and memory, to our own slots or to helpers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.candidate import Candidate
from flowml.automl.shape import Shape
from flowml.runner.gpu import PROOFS as GPU_PROOFS
from flowml.runner.helpers import NoHelpers
from flowml.runner.needs import GIB, PROOFS, Cards, Serves, as_cpu, kind_of, serves
from flowml.runner.routing import BUSY, NO_GPU, Goes, Routing, Way
from flowml.storage.records import Capabilities, Gpu, Task, TrialRecord, TrialState

SMALL = Shape(1000, 10, 10, 0, 0, 10, 2, 5, 800, 200, Task.BINARY, "auc", "maximize")
LARGE = replace(SMALL, rows=5_000_000, train_rows=4_000_000, columns=100)
XGBOOST, LOGISTIC = (Candidate(1, key, ALGORITHMS[key].defaults(SMALL)) for key in ("xgboost", "logistic"))


class Helping(NoHelpers):
    """Helpers with room for so many trials of each kind."""

    def __init__(self, serving: Serves, **room: int) -> None:
        self.serving, self._room = serving, {name.replace("_", "."): count for name, count in room.items()}

    def room(self, kind: str) -> int:
        return self._room.get(kind, 0)

    def may_serve(self, kind: str) -> bool:
        return self.serving.kind(kind)


def routing(own: Serves, helpers: NoHelpers | None = None, shape: Shape = SMALL) -> Routing:
    made = Routing(own, shape.rows * shape.columns, helpers or NoHelpers())
    made.begin(shape)
    return made


def ended(route: Routing, candidate: Candidate, device: str = "cpu") -> TrialRecord:
    done = TrialRecord(candidate.number, candidate.algorithm, {}, TrialState.COMPLETE, device=device)
    return route.ended(done)


def test_without_a_gpu_it_runs_on_a_core_and_the_row_says_why() -> None:
    route = routing(Serves(4 * GIB))
    assert route.way(XGBOOST, here=True) == Way(Goes.HERE, "cpu")
    assert ended(route, XGBOOST).device_reason == NO_GPU
    assert route.way(LOGISTIC, here=True) == Way(Goes.HERE, "cpu")
    assert ended(route, LOGISTIC).device_reason == ""


def test_a_gpu_elsewhere_is_used_before_a_core_here() -> None:
    able = Serves(8 * GIB, ("xgboost",), 1, 8 * GIB)
    route = routing(Serves(4 * GIB), Helping(able, gpu_xgboost=1, cpu=1))
    assert route.way(XGBOOST, here=True) == Way(Goes.THERE, "gpu.xgboost")
    assert ended(route, XGBOOST, "gpu").device_reason == ""
    assert route.way(LOGISTIC, here=True) == Way(Goes.HERE, "cpu")
    assert route.way(LOGISTIC, here=False) == Way(Goes.THERE, "cpu")
    busy = routing(Serves(4 * GIB), Helping(able, cpu=1))
    assert busy.way(XGBOOST, here=True) == Way(Goes.HERE, "cpu")
    assert ended(busy, XGBOOST).device_reason == BUSY


def test_what_came_back_stays_here() -> None:
    able = Serves(8 * GIB, ("xgboost",), 1, 8 * GIB)
    route = routing(Serves(4 * GIB), Helping(able, gpu_xgboost=1, cpu=1))
    route.keep(XGBOOST.number)
    assert route.way(XGBOOST, here=True) == Way(Goes.HERE, "cpu")
    assert route.way(XGBOOST, here=False) == Way(Goes.LATER)


def test_each_gpu_of_ours_trains_one_trial() -> None:
    route = routing(Serves(8 * GIB, ("xgboost",), 2, 8 * GIB))
    ways = [route.way(replace(XGBOOST, number=number), here=True) for number in range(3)]
    assert [way.device for way in ways] == ["gpu", "gpu:1", "cpu"]
    ended(route, replace(XGBOOST, number=0), "gpu")
    assert route.way(replace(XGBOOST, number=3), here=True).device == "gpu"


def test_a_trial_that_does_not_fit_is_not_begun() -> None:
    kind = "cpu.24g"  # 500 million cells
    route = routing(Serves(2 * GIB), shape=LARGE)
    assert route.way(LOGISTIC, here=True) == Way(Goes.NOWHERE)
    assert "and no worker has as much" in route.too_large(LOGISTIC).message
    large = Serves(32 * GIB)
    assert routing(Serves(2 * GIB), Helping(large), LARGE).way(LOGISTIC, here=True) == Way(Goes.ASIDE)
    helped = routing(Serves(2 * GIB), Helping(large, **{kind.replace(".", "_"): 1}), LARGE)
    assert helped.way(LOGISTIC, here=True) == Way(Goes.THERE, kind)
    assert routing(large, shape=LARGE).way(LOGISTIC, here=True) == Way(Goes.HERE, "cpu")


def test_kinds_name_what_a_lane_must_have() -> None:
    assert [kind_of("cpu", gib * GIB) for gib in (0.7, 1.5, 5, 9_999)] == [
        "cpu",
        "cpu.2g",
        "cpu.6g",
        "cpu.512g",
    ]
    assert as_cpu("gpu.xgboost.6g") == "cpu.6g"
    assert as_cpu("gpu.xgboost") == "cpu"
    lane = Serves(8 * GIB, ("xgboost",), 1, 4 * GIB)
    kinds = ("cpu", "cpu.8g", "cpu.12g", "gpu.xgboost", "gpu.xgboost.6g", "gpu.lightgbm")
    assert lane.of(kinds) == ("gpu.xgboost", "cpu.8g", "cpu")
    assert Serves(0).of(kinds) == ("cpu",)


def test_a_lane_serves_what_its_libraries_were_proven_to_do() -> None:
    machine = Capabilities("a cpu", 8, 8, 8, None, 16 * GIB, 16 * GIB)
    assert serves(GIB, machine) == Serves(GIB)
    cards = (Gpu(0, "a", vram_total=24 * GIB), Gpu(1, "b", vram_total=8 * GIB))
    proven = {"xgboost": "", "lightgbm-opencl": "no device", "catboost": ""}
    found = serves(GIB, replace(machine, gpus=cards, gpu_libraries=proven))
    assert found == Serves(GIB, ("xgboost",), 2, 8 * GIB)
    none = serves(GIB, replace(machine, gpus=cards, gpu_libraries={"xgboost": "no kernel"}))
    assert (none.gpu, none.cards) == ((), 0)


@pytest.mark.parametrize("key", [key for key, row in ALGORITHMS.items() if row.gpu])
def test_what_can_train_on_a_gpu_has_a_proof(key: str) -> None:
    assert PROOFS[key] in GPU_PROOFS


def test_cards_are_given_once() -> None:
    cards = Cards(1)
    assert (cards.give(7), cards.free) == ("gpu", 0)
    cards.back(8)
    cards.back(7)
    cards.back(7)
    assert cards.free == 1
