from __future__ import annotations

import datetime as dt
import json

import polars as pl

from flowml.storage.records import DatasetSchema, Role
from flowml.storage.schema import infer

FRAME = pl.DataFrame(
    {
        "amount": [1.5, None, 2.5, 4.0],
        "rooms": [1, 2, 2, 3],
        "paid": [True, False, True, None],
        "town": ["Ulm", "Bonn", "Ulm", None],
        "since": [dt.date(2020, 1, 1)] * 3 + [dt.date(2021, 1, 1)],
        "seen": [dt.datetime(2020, 1, 1, n) for n in range(4)],
        "opens": [dt.time(n) for n in range(4)],
        "took": [dt.timedelta(n) for n in range(4)],
        "tags": [["a"], [], None, ["b"]],
        "raw": [b"x", b"y", b"z", b""],
        "kind": pl.Series(["a", "b", "a", "a"], dtype=pl.Categorical()),
        "gone": [None, None, None, None],
    }
)


def test_each_column_gets_type_role_reason_and_figures() -> None:
    schema = infer(FRAME)
    assert schema.rows == 4
    assert {column.name: column.type for column in schema.columns} == {
        "amount": "number",
        "rooms": "integer",
        "paid": "boolean",
        "town": "string",
        "since": "date",
        "seen": "datetime",
        "opens": "time",
        "took": "duration",
        "tags": "list",
        "raw": "other",
        "kind": "string",
        "gone": "string",
    }
    assert all(column.reason for column in schema.columns)
    town = schema.column("town")
    assert town is not None
    assert (town.role, town.missing, town.unique, town.top) == (Role.CATEGORICAL, 1, 2, ("Ulm", "Bonn"))


def test_a_schema_travels_as_json() -> None:
    schema = infer(FRAME)
    assert DatasetSchema.from_dict(json.loads(json.dumps(schema.to_dict(), allow_nan=False))) == schema


def test_how_a_column_was_read_stays_in_its_reason() -> None:
    rooms = infer(FRAME, {"rooms": "11 cells with only blanks taken as missing"}).column("rooms")
    assert rooms is not None
    assert rooms.reason == "3 distinct whole numbers from 1 to 3; 11 cells with only blanks taken as missing"
