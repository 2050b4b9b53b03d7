"""Models that are kept warm."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowml.automl.onnx import build
from flowml.runner.serving import BASE_MEMORY, MEMORY_PER_BYTE, Warm
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.records import Artifact, Task
from tests.automl.onnx.champions import train


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[LocalArtifacts, list[Artifact]]:
    """Four small models."""
    trained = train(Task.BINARY, ("dummy",))
    store = LocalArtifacts(tmp_path_factory.mktemp("models"))
    kept = [store.put_bytes(build(trained.contract, trained.members, {"score": n})) for n in range(4)]
    return store, kept


def test_the_least_lately_asked_goes_when_the_memory_is_used_up(
    files: tuple[LocalArtifacts, list[Artifact]],
) -> None:
    store, models = files
    each = BASE_MEMORY + MEMORY_PER_BYTE * models[0].size
    warm, opened = Warm(3 * each + 3), list[str]()

    def ask(number: int) -> None:
        def path() -> Path:
            opened.append(str(number))
            return store.path(models[number].sha256)

        assert warm.get(models[number], path).about("score") == number

    for number in (0, 1, 2, 0, 3, 0, 2, 1):
        ask(number)
    assert "".join(opened) == "01231"
    assert len(warm) == 3
    assert warm.memory <= 3 * each + 3


def test_one_model_is_kept_however_large_it_is(files: tuple[LocalArtifacts, list[Artifact]]) -> None:
    store, models = files
    warm = Warm(1)
    for model in models[:2]:
        found = warm.get(model, lambda model=model: store.path(model.sha256))  # type: ignore[misc]
        assert warm.get(model, lambda: Path("nowhere")) is found
    assert len(warm) == 1


def test_many_who_ask_at_once_wait_for_one_load(files: tuple[LocalArtifacts, list[Artifact]]) -> None:
    store, models = files
    warm, loads, together = Warm(10**9), list[int](), threading.Barrier(8)

    def path() -> Path:
        loads.append(1)
        return store.path(models[0].sha256)

    def ask(_: int) -> object:
        together.wait()
        return warm.get(models[0], path)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(map(id, pool.map(ask, range(8))))) == 1
    assert loads == [1]
