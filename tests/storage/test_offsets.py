from __future__ import annotations

from flowml.storage import offsets
from flowml.storage.db import Cursor


def test_an_offset_starts_at_zero_and_moves(cursor: Cursor) -> None:
    assert offsets.get(cursor, "facts") == "0"
    for id in ("1-0", "2-0"):
        offsets.put(cursor, "facts", id)
        assert offsets.get(cursor, "facts") == id
    assert offsets.get(cursor, "other") == "0"
