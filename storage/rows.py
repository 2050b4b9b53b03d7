"""Records as rows: the whole record as JSON text, beside the columns one filters by."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeVar

from flowml.storage.db import Cursor
from flowml.storage.records import Record

R = TypeVar("R", bound=Record)


def encode(record: Record) -> str:
    return json.dumps(record.to_dict(), ensure_ascii=False, separators=(",", ":"))


def decode(kind: type[R], text: str) -> R:
    return kind.from_dict(json.loads(text))


def select(cursor: Cursor, kind: type[R], sql: str, values: Iterable[object] = ()) -> tuple[R, ...]:
    """The records that a query finds; the query selects the column `record` alone."""
    return tuple(decode(kind, text) for (text,) in cursor.execute(sql, list(values)).fetchall())


def number(cursor: Cursor, sql: str, values: Iterable[object] = ()) -> int:
    """The one number that a query, or the count of a change, answers with."""
    ((count,),) = cursor.execute(sql, list(values)).fetchall()
    return int(count)


def where(**conditions: Any) -> tuple[str, list[object]]:
    """A WHERE clause and its values. None is no condition, a set or tuple means one of its members."""
    clauses: list[str] = []
    values: list[object] = []
    for column, wanted in conditions.items():
        if wanted is None:
            continue
        several = isinstance(wanted, tuple | list | set | frozenset)
        clauses.append(f"{column} IN (SELECT unnest(?::VARCHAR[]))" if several else f"{column} = ?")
        values.append(sorted(wanted) if several else wanted)
    return (" WHERE " + " AND ".join(clauses) if clauses else ""), values
