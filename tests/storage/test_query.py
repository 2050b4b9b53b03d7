"""SQL on one table: what it gives, and all that it must not reach."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from flowml.storage import apart, query
from flowml.storage.errors import DataError, FlowMLError, QueryError
from flowml.storage.records import DatasetSchema, Json

SECONDS = 30.0


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("data") / "people.parquet"
    pl.DataFrame(
        {
            "age": [20, 30, None, 50],
            "name": ["Ann", "Bob", "?", "Eve"],
            "day": [dt.datetime(2024, 1, n, tzinfo=dt.UTC) for n in range(1, 5)],
            "share": [0.5, float("inf"), None, 1.0],
            "zip code": ["01234", "12345", "23456", "34567"],
        }
    ).write_parquet(place)
    return place


def preview(path: Path, sql: str, rows: int = 10) -> Json:
    return apart.run("preview", {"path": str(path), "sql": sql, "rows": rows}, SECONDS)


def test_a_query_is_previewed(path: Path) -> None:
    shown = preview(path, "SELECT name, age FROM dataset WHERE age > 20 ORDER BY age DESC;", rows=1)
    assert shown == {"columns": ["name", "age"], "rows": [["Eve", 50]], "total": 2}
    every = preview(path, "SELECT *, sum(age) OVER () AS total, [1] AS list, name AS name FROM dataset")
    assert every["columns"] == ["age", "name", "day", "share", "zip code", "total", "list", "name_1"]
    assert every["rows"][0][2] == "2024-01-01T00:00:00+00:00"
    assert every["rows"][1][3] is None
    assert every["rows"][0][5] == 100.0


@pytest.mark.parametrize(
    "sql",
    [
        "FROM dataset",
        "WITH old AS (FROM dataset WHERE age > 20) SELECT * FROM old UNION ALL SELECT * FROM dataset",
        "SELECT d.*, n FROM dataset d JOIN range(3) AS r(n) ON true QUALIFY row_number() OVER () < 5",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) FROM t, dataset",
        "SELECT DISTINCT ON (name) * FROM dataset USING SAMPLE 50%",
        "SELECT * EXCLUDE (age), unnest([1, 2]) AS n FROM dataset -- a remark",
    ],
)
def test_whatever_reads_the_table_may_be_written(
    sql: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert query.preview_work({"path": str(path), "sql": sql, "rows": 5})["columns"]


def test_a_query_becomes_a_table_as_we_keep_it(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "made.parquet"
    sql = """SELECT * REPLACE (nullif(name, '?') AS name), age::TINYINT AS small, share / 0 AS wild,
             {'a': 1} AS parts, 1.5::DECIMAL(4, 2) AS price, 'x' AS "odd ""name"
             FROM dataset WHERE age IS NOT NULL"""
    made = apart.run("derive", {"path": str(path), "sql": sql, "target": str(target)}, SECONDS)
    frame = pl.read_parquet(target)
    schema = DatasetSchema.from_dict(made["schema"])
    assert (made["rows"], frame.height, schema.rows) == (3, 3, 3)
    assert schema.names == tuple(frame.columns)
    assert 'odd "name' in frame.columns
    assert frame["small"].dtype == pl.Int64
    assert frame["price"].dtype == pl.Float64
    assert frame["wild"].null_count() == 3
    assert frame["day"].dtype == pl.Datetime("us", "UTC")
    assert frame["zip code"].to_list() == ["01234", "12345", "34567"]
    assert [column.type for column in schema.columns][:4] == ["integer", "string", "datetime", "number"]


HOSTILE = [
    "",
    "SELECT",
    "SELECT * FROM missing",
    "SELECT nothing FROM dataset",
    "SELECT 1; SELECT 2",
    "SELECT 1) TO 'evil.csv'; --",
    "DROP VIEW dataset",
    "CREATE TABLE t AS SELECT 1",
    "COPY dataset TO 'evil.csv'",
    "EXPORT DATABASE 'evil'",
    "ATTACH 'evil.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '100GB'",
    "RESET enable_external_access",
    "PRAGMA enable_profiling",
    "CALL pragma_version()",
    "SELECT * FROM '{other}'",
    "SELECT * FROM read_parquet('{other}')",
    "SELECT * FROM parquet_metadata('{other}')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/proc/self/environ')",
    "SELECT * FROM read_blob('/etc/hostname')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_parquet('https://127.0.0.1/x.parquet')",
    "SELECT * FROM read_csv('s3://bucket/x.csv')",
    "SELECT * FROM query_table('{other}')",
    "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
    "SELECT getenv('HOME')",
    "SELECT * FROM duckdb_extensions()",
    "WITH evil AS (INSERT INTO dataset VALUES (1) RETURNING *) SELECT * FROM evil",
    "SELECT value FROM duckdb_settings()",
    'SELECT value FROM "duckdb_settings" /**/ ()',
    "SELECT current_setting('temp_directory')",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM sqlite_master",
    "SELECT (SELECT max(x) FROM read_csv('x')) FROM dataset",
    "SHOW TABLES",
    "SELECT * FROM sys",
    "SELECT * FROM os",
    "SELECT repeat('x', 20001) || '" + "x" * 20_000 + "'",
]


@pytest.mark.parametrize("sql", HOSTILE, ids=lambda sql: sql[:40])
def test_whatever_else_is_asked_is_refused(
    sql: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, place = tmp_path / "other.parquet", tmp_path / "place"
    pl.DataFrame({"secret": [1]}).write_parquet(other)
    place.mkdir()
    monkeypatch.chdir(place)
    for work, request in (
        (query.preview_work, {"path": str(path), "sql": sql.format(other=other), "rows": 5}),
        (query.derive_work, {"path": str(path), "sql": sql.format(other=other), "target": "target.parquet"}),
    ):
        with pytest.raises(QueryError):
            work(request)
        assert {file.name for file in place.iterdir()} <= {query.SOURCE, query.MADE, query.SPILL}
        Path(query.SOURCE).unlink()
        Path(query.MADE).unlink(missing_ok=True)


def test_a_query_without_end_is_ended(path: Path) -> None:
    endless = "SELECT count(*) FROM range(1e9::BIGINT) a, range(1e9::BIGINT) b"
    with pytest.raises(DataError, match="longer than 2 s"):
        apart.run("preview", {"path": str(path), "sql": endless, "rows": 1}, 2.0)


def test_a_query_that_wants_all_memory_is_ended(path: Path) -> None:
    greedy = "SELECT list(a.range) FROM range(1000000000) a"
    with pytest.raises(FlowMLError, match="memory"):
        apart.run("preview", {"path": str(path), "sql": greedy, "rows": 1}, SECONDS)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("data") / "calls.parquet"
    moments = [dt.datetime(2024, 1, n, tzinfo=dt.UTC) for n in range(1, 5)]
    pl.DataFrame({"lasts": [dt.timedelta(hours=n) for n in range(4)], "began": moments}).write_parquet(place)
    return place


def test_durations_and_differences_of_moments_are_shown(lasting: Path) -> None:
    shown = preview(
        lasting, "SELECT lasts, began - TIMESTAMPTZ '2023-12-31 00:00+00' AS since FROM dataset", 2
    )
    assert shown["rows"] == [["0:00:00", "1 day, 0:00:00"], ["1:00:00", "2 days, 0:00:00"]]


def test_durations_stay_durations_in_a_derived_table(
    lasting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    computed = "lasts + INTERVAL 1 day AS longer, [lasts] AS list"
    sql = f"SELECT *, {computed} FROM dataset WHERE lasts > INTERVAL 1 hour"
    target = tmp_path / "target.parquet"
    made = query.derive_work({"path": str(lasting), "sql": sql, "target": str(target)})
    kinds = [(column.name, column.type) for column in DatasetSchema.from_dict(made["schema"]).columns]
    assert kinds == [("lasts", "duration"), ("began", "datetime"), ("longer", "duration"), ("list", "list")]
    kept = pl.read_parquet(target)
    assert kept["lasts"].to_list() == [dt.timedelta(hours=2), dt.timedelta(hours=3)]
    assert kept["longer"].to_list() == [dt.timedelta(days=1, hours=2), dt.timedelta(days=1, hours=3)]
