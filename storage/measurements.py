"""The table of measurements: what was found out about stored tables, to be looked up the next time."""

from __future__ import annotations

import json
import time

from flowml.storage.db import Cursor
from flowml.storage.records import Json


def get(cursor: Cursor, sha256: str, kind: str, about: str = "") -> Json | None:
    """None where it was not measured yet. `kind` ends with the version of the way it is measured."""
    sql = "SELECT record FROM measurement WHERE sha256 = ? AND kind = ? AND about = ?"
    found = cursor.execute(sql, [sha256, kind, about]).fetchone()
    return None if found is None else dict(json.loads(found[0]))


def put(cursor: Cursor, sha256: str, kind: str, about: str, record: Json) -> None:
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    cursor.execute(
        "INSERT OR REPLACE INTO measurement VALUES (?, ?, ?, ?, ?)", [sha256, kind, about, time.time(), text]
    )
