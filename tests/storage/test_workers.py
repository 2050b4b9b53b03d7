from __future__ import annotations

import dataclasses

import pytest

from flowml.storage import workers
from flowml.storage.db import Cursor
from flowml.storage.errors import NotFound
from flowml.storage.records import Capabilities, Gpu, Worker

ATTIC = Worker(
    "attic",
    ("gpu", "cpu"),
    Capabilities("Ryzen", 8, 4, 8, 3200.0, 1 << 34, 1 << 33, (Gpu(0, "RTX 3090", vram_total=24 << 30),)),
    started_at=1.0,
    heartbeat=10.0,
)


def test_a_worker_comes_back_equal_and_only_later_heartbeats_count(cursor: Cursor) -> None:
    workers.upsert(cursor, ATTIC)
    workers.upsert(cursor, dataclasses.replace(ATTIC, heartbeat=5.0, state="busy"))
    assert workers.get(cursor, "attic") == ATTIC
    later = dataclasses.replace(ATTIC, heartbeat=20.0, state="offline")
    workers.upsert(cursor, later)
    assert workers.get(cursor, "attic") == later


def test_workers_are_listed_by_name_and_can_be_forgotten(cursor: Cursor) -> None:
    for name in ("cellar", "attic"):
        workers.upsert(cursor, dataclasses.replace(ATTIC, name=name))
    assert [worker.name for worker in workers.list_(cursor)] == ["attic", "cellar"]
    workers.delete(cursor, "attic")
    with pytest.raises(NotFound, match="attic"):
        workers.get(cursor, "attic")
