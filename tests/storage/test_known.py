"""Types that Arrow has and polars lacks: read all the same, in whatever file they come."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flowml.storage.canonical import settle
from flowml.storage.formats import read
from flowml.storage.formats.columnar import arrow_by_column, parquet_by_column
from flowml.storage.formats.streams import stream_arrow, stream_parquet
from flowml.storage.known import known

MOMENTS = [dt.datetime(2024, 3, 31, 1, 30, tzinfo=dt.UTC), None]
TABLE = pa.table(
    {
        "offset": pa.array(MOMENTS, pa.timestamp("ns", "+05:30")),
        "zone": pa.array(MOMENTS, pa.timestamp("us", "Europe/Berlin")),
        "wide": pa.array([Decimal("1.5"), None], pa.decimal256(60, 10)),
        "within": pa.array([{"at": MOMENTS[0]}, None], pa.struct({"at": pa.timestamp("us", "-03:00")})),
        "plain": pa.array([1, None], pa.int64()),
    }
)
EXPECTED = {"offset": MOMENTS, "zone": MOMENTS, "wide": [1.5, None], "within.at": MOMENTS, "plain": [1, None]}


def _feather(path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, TABLE.schema) as file:
        file.write_table(TABLE)


def _stream(path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, TABLE.schema) as file:
        file.write_table(TABLE)


WRITERS = {"a.parquet": lambda path: pq.write_table(TABLE, path), "a.feather": _feather, "a.arrow": _stream}


@pytest.mark.parametrize("name", WRITERS)
def test_zones_and_wide_decimals_are_read_at_once_and_by_column(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    by_column = parquet_by_column if name.endswith("parquet") else arrow_by_column
    whole = read(path, name)[0]
    parts = settle(by_column(path, tmp_path).reading(range(TABLE.num_columns))).frame
    assert whole.to_dict(as_series=False) == EXPECTED
    assert parts.equals(whole)


@pytest.mark.parametrize("name", WRITERS)
def test_they_are_read_piece_by_piece(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    stream = (stream_parquet if name.endswith("parquet") else stream_arrow)(path)
    pieces = list(stream.pieces(10, (0, 2)))
    assert pieces[0].to_dict(as_series=False) == {"0": MOMENTS, "2": [1.5, None]}


def test_intervals_unions_and_ids_of_duckdb_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT INTERVAL '1 month 2 days 3 seconds' AS lasts, "
            "INTERVAL '14 months' AS long, "
            "union_value(a := 1) AS either, [INTERVAL 1 day] AS several, 1::BIGNUM AS huge"
        )
    frame = read(path, path.name)[0]
    assert frame["lasts"].to_list() == [dt.timedelta(days=32, seconds=3)]
    assert frame["long"].to_list() == [dt.timedelta(days=365.25 + 60)]
    assert frame["either"].to_list() == ["1"]
    assert frame["several"].dtype == pl.String


def test_what_is_packed_or_marked_is_read_as_what_it_is() -> None:
    id = uuid.UUID(int=7)
    table = pa.table(
        {
            "ids": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([id.bytes, None], pa.binary(16))),
            "runs": pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array([5])),
        }
    )
    assert known(table).to_pydict() == {"ids": [str(id), None], "runs": [5, 5]}
