from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from flowml.runner.measures import Measures
from flowml.storage import apart
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.records import Dataset, Json


def test_a_table_is_measured_once_however_many_ask(
    db: Database, datasets: Datasets, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    run = apart.run

    def counted(work: str, request: Json, timeout_s: float) -> Json:
        started.append(work)
        return run(work, request, timeout_s)

    monkeypatch.setattr(apart, "run", counted)
    measures = Measures(db, datasets)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: measures.profile(dataset), range(3)))
    assert found[0] == found[1] == found[2]
    assert found[0].rows == dataset.rows
    assert Measures(db, datasets).profile(dataset) == found[0]
    assert started == ["profile"]
