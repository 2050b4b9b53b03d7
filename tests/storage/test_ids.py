from __future__ import annotations

import re
import time

from flowml.storage.ids import new_id


def test_ids_differ_and_fit_rq() -> None:
    ids = [new_id("job") for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(re.fullmatch(r"job-[a-z0-9]{20}", id) for id in ids)


def test_later_ids_sort_later() -> None:
    first = new_id("job")
    time.sleep(0.002)
    assert first < new_id("job")
