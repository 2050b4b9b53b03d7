"""Columnar files and databases."""

from __future__ import annotations

import io
import sqlite3
import struct
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from tests.storage.hostile.common import MB, Content, written
from tests.storage.writers import TABLE


def columnar() -> Iterator[tuple[str, Content]]:
    good = written("parquet")
    yield "magic-only.parquet", b"PAR1PAR1"
    yield "long-footer.parquet", good[:-8] + b"\xff\xff\xff\x7fPAR1"
    yield "no-footer.parquet", good[:-8] + bytes(4) + b"PAR1"
    yield "encrypted.parquet", b"PARE" + good[4:-4] + b"PARE"
    yield "constant-bomb.parquet", _constant_bomb
    yield "nested.parquet", _nested
    yield "same-names.parquet", _same_names
    yield "no-rows.parquet", lambda: _parquet(TABLE.head(0).to_arrow())
    yield "no-columns.parquet", lambda: _parquet(pa.table({}))
    yield "binary.parquet", lambda: _parquet(pa.table({"a": [b"\0\xff", None], "b": [1, 2]}))
    arrow = written("arrow")
    yield "magic-only.arrow", b"ARROW1\0\0ARROW1"
    yield "long-footer.arrow", arrow[:-10] + b"\xff\xff\xff\x7fARROW1"
    yield "stream-length.arrows", b"\xff\xff\xff\xff\xf8\xff\xff\x03" + bytes(100)
    yield "old.feather", b"FEA1" + bytes(200) + b"FEA1"
    yield "offsets.arrow", _offsets
    yield "magic-only.orc", b"ORC"
    yield "no-schema.avro", b"Obj\x01\x00" + bytes(16)
    yield "schema.avro", _avro_with(b"not json")
    yield (
        "codec.avro",
        _avro_with(b'{"type":"record","name":"r","fields":[{"name":"a","type":"int"}]}', b"lzma9000"),
    )
    yield (
        "recursive.avro",
        _avro_with(
            b'{"type":"record","name":"r","fields":[{"name":"a","type":"r"}]}', b"null", b"\x02\x02\x00"
        ),
    )
    yield "number.avro", _avro_with(b'"int"', b"null", b"\x02\x02\x02")
    yield (
        "huge-count.avro",
        _avro_with(
            b'{"type":"record","name":"r","fields":[{"name":"a","type":"null"}]}',
            b"null",
            b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f\x00",
        ),
    )
    yield (
        "long-string.avro",
        _avro_with(
            b'{"type":"record","name":"r","fields":[{"name":"a","type":"string"}]}',
            b"null",
            b"\x02\x0c\xfe\xff\xff\xff\x0f",
        ),
    )
    yield "deflate-bomb.avro", _deflate_bomb
    yield (
        "unknown-type.avro",
        _avro_with(b'{"type":"record","name":"r","fields":[{"name":"a","type":"what"}]}'),
    )
    yield "bytes-and-maps.avro", _avro_of_many_types


def _parquet(table: pa.Table) -> bytes:
    into = io.BytesIO()
    pq.write_table(table, into)
    return into.getvalue()


def _constant_bomb() -> bytes:
    """A few kilobytes that mean gigabytes: one long text, said ever again."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 350_000, pa.int32()), pa.array(["x" * 2_000]))
    return _parquet(pa.table({"a": text}))


def _nested() -> bytes:
    value: object = 1
    kind: pa.DataType = pa.int64()
    for _ in range(50):
        value, kind = [value], pa.list_(kind)
    return _parquet(pa.table({"a": pa.array([value], kind)}))


def _same_names() -> bytes:
    return _parquet(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]))


def _offsets() -> bytes:
    """Texts whose offsets point beyond the file."""
    into = io.BytesIO()
    batch = pa.record_batch([pa.array(["xxxx", "yy"])], names=["a"])
    with pa.ipc.new_file(into, batch.schema) as file:
        file.write_batch(batch)
    good, bad = struct.pack("<3i", 0, 4, 6), struct.pack("<3i", 0, 1 << 30, 6)
    return into.getvalue().replace(good, bad)


def _avro_with(schema: bytes, codec: bytes = b"null", block: bytes = b"") -> bytes:
    def text(value: bytes) -> bytes:
        return _zigzag(len(value)) + value

    head = (
        b"Obj\x01"
        + _zigzag(2)
        + text(b"avro.schema")
        + text(schema)
        + text(b"avro.codec")
        + text(codec)
        + b"\0"
    )
    return head + b"s" * 16 + (block + b"s" * 16 if block else b"")


def _zigzag(number: int) -> bytes:
    number <<= 1
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def _deflate_bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    text = _zigzag(900 * MB) + b"x" * (8 * MB)
    content = packer.compress(text) + packer.flush()
    schema = b'{"type":"record","name":"r","fields":[{"name":"a","type":"string"}]}'
    return _avro_with(schema, b"deflate", _zigzag(1) + _zigzag(len(content)) + content)


def _avro_of_many_types() -> bytes:
    kinds = [
        {"type": "map", "values": "int"},
        "bytes",
        {"type": "array", "items": "string"},
        {"type": "enum", "name": "e", "symbols": ["x"]},
        ["int", "string"],
    ]
    fields = [{"name": f"f{n}", "type": kind} for n, kind in enumerate(kinds)]
    into = io.BytesIO()
    rows = [
        {"f0": {"a": 1}, "f1": b"\xff", "f2": ["x"], "f3": "x", "f4": n if n % 2 else "t"} for n in range(4)
    ]
    fastavro.writer(into, fastavro.parse_schema({"type": "record", "name": "r", "fields": fields}), rows)
    return into.getvalue()


# --- databases --------------------------------------------------------------------------------------------


def _sqlite(*statements: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "db")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        return (Path(folder) / "db").read_bytes()


def _duckdb(*statements: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        with duckdb.connect(str(Path(folder) / "db")) as connection:
            for statement in statements:
                connection.execute(statement)
        return (Path(folder) / "db").read_bytes()


def databases() -> Iterator[tuple[str, Content]]:
    table = ("CREATE TABLE t (a INTEGER, b TEXT)", "INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    endless = (
        "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    )
    yield (
        "triggers.db",
        lambda: _sqlite(*table, "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; END", endless),
    )
    yield "views-only.db", lambda: _sqlite(endless)
    yield "no-rows.db", lambda: _sqlite(table[0])
    yield "nothing.db", lambda: _sqlite("CREATE TABLE t (a)", "DROP TABLE t")
    yield (
        "names.db",
        lambda: _sqlite(
            'CREATE TABLE "a""; DROP TABLE b; --" (x)', 'INSERT INTO "a""; DROP TABLE b; --" VALUES (1)'
        ),
    )
    yield "search.db", lambda: _sqlite(*table, "CREATE VIRTUAL TABLE s USING fts5(x)")
    yield (
        "generated.db",
        lambda: _sqlite(
            "CREATE TABLE t (a INTEGER, b AS (hex(zeroblob(100000000))))", "INSERT INTO t (a) VALUES (1)"
        ),
    )
    yield (
        "without-rowid.db",
        lambda: _sqlite(
            "CREATE TABLE t (a INTEGER PRIMARY KEY, b) WITHOUT ROWID", "INSERT INTO t VALUES (1, 2)"
        ),
    )
    yield (
        "wide.db",
        lambda: _sqlite(
            f"CREATE TABLE t ({', '.join(f'c{n}' for n in range(2000))})",
            f"INSERT INTO t VALUES ({', '.join('1' * 2000)})",
        ),
    )
    yield "zero-blob.db", lambda: _sqlite("CREATE TABLE t (a)", "INSERT INTO t VALUES (zeroblob(20000000))")
    yield (
        "broken-text.db",
        lambda: _sqlite("CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES (CAST(x'ff00fe' AS TEXT)), ('ok')"),
    )
    yield "wal.db", lambda: _wal(_sqlite(*table))
    yield "schema.db", lambda: _sqlite(*table).replace(b"CREATE TABLE t (", b"CREATE TABLE t )", 1)
    yield "head-only.db", b"SQLite format 3\x00" + bytes(84)
    yield "page-size.db", lambda: _sqlite(*table)[:16] + b"\x00\x03" + _sqlite(*table)[18:]
    yield "outside-view.duckdb", lambda: _duckdb("CREATE VIEW v AS SELECT * FROM read_csv('/etc/passwd')")
    yield (
        "macro.duckdb",
        lambda: _duckdb(
            "CREATE TABLE t (a INTEGER)",
            "INSERT INTO t VALUES (1)",
            "CREATE MACRO count(x) AS (SELECT content FROM read_text('/etc/passwd'))",
        ),
    )
    yield (
        "schemas.duckdb",
        lambda: _duckdb('CREATE SCHEMA "s;x"', 'CREATE TABLE "s;x"."t""u" AS SELECT 1 AS a'),
    )
    yield (
        "nested.duckdb",
        lambda: _duckdb(
            "CREATE TABLE t AS SELECT {'a': {'b': [1, 2]}} AS s, [1] AS l, MAP {'x': 1} AS m, 'x'::BLOB AS b"
        ),
    )
    yield (
        "wide-rows.duckdb",
        lambda: _duckdb("CREATE TABLE t AS SELECT repeat('x', 20000000) AS a FROM range(8)"),
    )
    yield "head-only.duckdb", bytes(8) + b"DUCK" + bytes(5000)


def _wal(content: bytes) -> bytes:
    return content[:18] + b"\x02\x02" + content[20:]
