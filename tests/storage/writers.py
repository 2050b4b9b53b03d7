"""Writes a table in each format, by means other than those that read it where there are any."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import json
import lzma
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import fastavro
import polars as pl
import pyarrow as pa
import xlwt
import yaml
from pyarrow import orc

from tests.storage import binary_workbook, opendocument, workbook

TABLE = pl.DataFrame(
    {
        "whole": [1, -2, None, 40_000],
        "number": [0.5, None, -1e-9, 12345.678],
        "truth": [True, False, None, True],
        "word": ["Größe", "a, b; c", None, 'said "no"\nand left'],
        "day": [dt.date(2020, 2, 29), None, dt.date(1999, 12, 31), dt.date(2021, 1, 1)],
        "moment": [
            dt.datetime(2020, 1, 2, 3, 4, 5),
            dt.datetime(1970, 1, 1, 0, 0, 1),
            None,
            dt.datetime(2021, 6, 7),
        ],
        "clock": [dt.time(0, 0, 1), None, dt.time(23, 59, 59), dt.time(12)],
    }
)


def _iso(value: Any) -> str:
    return str(value.isoformat())


def write_json(table: pl.DataFrame, path: Path) -> None:
    path.write_text(json.dumps(table.to_dicts(), default=_iso), "utf-8")


def write_json_lines(table: pl.DataFrame, path: Path) -> None:
    path.write_text("\n".join(json.dumps(row, default=_iso) for row in table.to_dicts()), "utf-8")


def write_yaml(table: pl.DataFrame, path: Path) -> None:
    rows = [
        {name: _iso(v) if isinstance(v, dt.time) else v for name, v in row.items()}
        for row in table.to_dicts()
    ]
    path.write_text(yaml.safe_dump(rows, allow_unicode=True, sort_keys=False), "utf-8")


def write_toml(table: pl.DataFrame, path: Path) -> None:
    """TOML knows dates and times, but no null: what is missing is left out."""
    lines = []
    for row in table.to_dicts():
        lines.append("[[rows]]")
        lines += [f'"{name}" = {_toml(value)}' for name, value in row.items() if value is not None]
    path.write_text("\n".join(lines), "utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, dt.date | dt.time):
        return _iso(value)
    return json.dumps(value, ensure_ascii=False)


def write_xlsx(table: pl.DataFrame, path: Path) -> None:
    workbook.write(path, {"Sheet 1": [table.columns, *table.rows()]})


def write_xlsb(table: pl.DataFrame, path: Path) -> None:
    binary_workbook.write(path, {"Sheet 1": [table.columns, *table.rows()]})


def write_ods(table: pl.DataFrame, path: Path) -> None:
    opendocument.write(path, {"Sheet 1": [table.columns, *table.rows()]})


FORMS = {dt.date: "YYYY-MM-DD", dt.datetime: "YYYY-MM-DD HH:MM:SS", dt.time: "HH:MM:SS"}


def write_xls(table: pl.DataFrame, path: Path) -> None:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Sheet 1")
    for down, row in enumerate([tuple(table.columns), *table.rows()]):
        for across, cell in enumerate(row):
            if cell is not None:
                sheet.write(down, across, cell, xlwt.easyxf(num_format_str=FORMS.get(type(cell), "General")))
    book.save(str(path))


def write_sqlite(table: pl.DataFrame, path: Path) -> None:
    kinds = {pl.Boolean: "BOOLEAN", pl.Int64: "INTEGER", pl.Float64: "REAL"}
    declared = ", ".join(f'"{name}" {kinds.get(dtype, "TEXT")}' for name, dtype in table.schema.items())  # type: ignore[call-overload]
    rows = [[_iso(v) if isinstance(v, dt.date | dt.time) else v for v in row] for row in table.rows()]
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE things ({declared})")
    connection.executemany(f"INSERT INTO things VALUES ({', '.join('?' * table.width)})", rows)
    connection.commit()
    connection.close()


def write_duckdb(table: pl.DataFrame, path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.register("given", table.to_arrow())
        connection.execute("CREATE TABLE things AS SELECT * FROM given")


AVRO_TYPES: dict[Any, Any] = {
    pl.Int64: "long",
    pl.Float64: "double",
    pl.Boolean: "boolean",
    pl.Date: {"type": "int", "logicalType": "date"},
    pl.Datetime("us"): {"type": "long", "logicalType": "local-timestamp-micros"},
    pl.Time: {"type": "long", "logicalType": "time-micros"},
}


def write_avro(table: pl.DataFrame, path: Path) -> None:
    fields = [
        {"name": name, "type": ["null", next((t for k, t in AVRO_TYPES.items() if dtype == k), "string")]}
        for name, dtype in table.schema.items()
    ]
    schema = fastavro.parse_schema({"type": "record", "name": "row", "fields": fields})
    with path.open("wb") as file:
        fastavro.writer(file, schema, table.to_dicts(), codec="deflate")


def write_orc(table: pl.DataFrame, path: Path) -> None:
    """ORC has no time of the day; it is kept as text."""
    orc.write_table(table.with_columns(pl.col(pl.Time).dt.to_string("%H:%M:%S")).to_arrow(), str(path))


ARFF_TYPES = {
    pl.Int64: "integer",
    pl.Float64: "numeric",
    pl.Boolean: "{true,false}",
    pl.Date: 'date "yyyy-MM-dd"',
    pl.Datetime: "date",
}


def write_arff(table: pl.DataFrame, path: Path) -> None:
    lines = ["% a comment", "@RELATION 'some things'", ""]
    lines += [
        f"@attribute '{name}' {next((t for k, t in ARFF_TYPES.items() if dtype == k), 'string')}"
        for name, dtype in table.schema.items()
    ]
    lines += ["@data", *(", ".join(_arff(value) for value in row) for row in table.rows())]
    path.write_text("\n".join(lines), "utf-8")


def _arff(value: Any) -> str:
    if value is None:
        return "?"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    text = _iso(value) if not isinstance(value, str) else value
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


WRITERS: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    "parquet": lambda table, path: table.write_parquet(path),
    "arrow": lambda table, path: table.write_ipc(path, compression="zstd"),
    "orc": write_orc,
    "avro": write_avro,
    "xlsx": write_xlsx,
    "xlsb": write_xlsb,
    "xls": write_xls,
    "ods": write_ods,
    "sqlite": write_sqlite,
    "duckdb": write_duckdb,
    "arff": write_arff,
    "json": write_json,
    "jsonl": write_json_lines,
    "yaml": write_yaml,
    "toml": write_toml,
    "csv": lambda table, path: table.write_csv(path),
    "tsv": lambda table, path: table.write_csv(path, separator="\t"),
    "txt": lambda table, path: table.write_csv(path, separator="|"),
}


def _zipped(content: bytes, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", b"")
        archive.writestr("__MACOSX/._table", b"\0\0")
        archive.writestr("folder/table", content)


WRAPPERS: dict[str, Callable[[bytes, Path], object]] = {
    "gz": lambda content, path: path.write_bytes(gzip.compress(content)),
    "zst": lambda content, path: path.write_bytes(pa.compress(content, "zstd", asbytes=True)),
    "bz2": lambda content, path: path.write_bytes(bz2.compress(content)),
    "xz": lambda content, path: path.write_bytes(lzma.compress(content)),
    "zip": _zipped,
}
