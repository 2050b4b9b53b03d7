"""ARFF, and files that are something else, or called so."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Iterator

from tests.storage.hostile.common import LAUGHS, Content, written


def arffs() -> Iterator[tuple[str, Content]]:
    yield "no-data.arff", b"@relation r\n@attribute a numeric\n"
    yield "no-rows.arff", b"@relation r\n@attribute a numeric\n@data\n"
    yield (
        "many-columns.arff",
        lambda: (
            b"@relation r\n"
            + b"".join(b"@attribute c%d numeric\n" % n for n in range(20_000))
            + b"@data\n1\n"
        ),
    )
    yield "relational.arff", b"@relation r\n@attribute a relational\n@end a\n@data\n1\n"
    yield "open-quote.arff", b"@relation r\n@attribute a string\n@data\n'x\n"
    yield "place.arff", b"@relation r\n@attribute a numeric\n@data\n{99999999999999999999 1}\n"
    yield "long-row.arff", b"@relation r\n@attribute a string\n@data\n" + b"'" + b"\\" * 99_999 + b"\n"
    yield "backtracking.arff", b"@relation r\n@attribute a string\n@data\n" + b" x" * 20_000 + b"\n"
    yield "nul.arff", b"@relation r\n@attribute a numeric\n@data\n1\0\n"


def strangers() -> Iterator[tuple[str, Content]]:
    yield "empty.csv", b""
    kinds = {
        "picture": b"\x89PNG\r\n\x1a\n" + bytes(200),
        "document": b"%PDF-1.7\n" + bytes(200),
        "program": b"\x7fELF\x02\x01" + bytes(200),
        "page": b"<!doctype html><html>x</html>",
        "xml": b'<?xml version="1.0"?>' + LAUGHS.encode() + b"<x>&j;</x>",
        "pickle": pickle.dumps({"a": [1, 2]}, 4),
        "archive": b"7z\xbc\xaf\x27\x1c" + bytes(100),
        "rar": b"Rar!\x1a\x07\x00" + bytes(100),
        "hdf": b"\x89HDF\r\n\x1a\n" + bytes(100),
    }
    for name, content in kinds.items():
        for suffix in ("csv", "xlsx", "parquet"):
            yield f"{name}.{suffix}", content
    for key in ("parquet", "xlsx", "csv", "sqlite", "json"):
        for suffix in ("csv", "parquet", "xls", "yaml"):
            if suffix != key:
                yield f"{key}-as.{suffix}", functools.partial(written, key)
