"""JSON: a list of records, an object of columns, or one record per line."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from flowml.storage.errors import BrokenFile, EmptyFile, FileError
from flowml.storage.formats import spool
from flowml.storage.formats.row import Format, Piece, Stream
from flowml.storage.reading import ByColumn, Reading, refuse_width, typed_reading

SHAPES = (
    "Expected a list of records [{…}, {…}], an object of columns {name: [values]}, or one record per line."
)
SHORT = 1000  # bytes, within which a lone number or word is looked for
TOML_TABLE = re.compile(rb"\[\[?[ \t]*[A-Za-z_][\w.\-]*[ \t]*\]\]?[ \t]*(?:#[^\n]*)?\r?\n")
STARTS_OF_VALUES = (b"", *(bytes([start]) for start in b'{["-0123456789tfn]'))


def looks_like_json(head: bytes) -> bool:
    text = _bare(head)
    if len(text) < SHORT and _is_json_value(text):
        return True
    if text[:1] == b"[":
        return text[1:].lstrip()[:1] in STARTS_OF_VALUES and not TOML_TABLE.match(text)
    return text[:1] == b"{" and text[1:].lstrip()[:1] in (b'"', b"}", b"")


def _is_json(head: bytes, _: Path) -> bool:
    return looks_like_json(head) and not _has_a_record_per_line(head, at_least=2)


def _is_json_lines(head: bytes, _: Path) -> bool:
    return looks_like_json(head) and _has_a_record_per_line(head, at_least=1)


def _has_a_record_per_line(head: bytes, at_least: int) -> bool:
    lines = [line for line in _bare(head).splitlines() if line.strip()][:2]
    return (
        len(lines) >= at_least and all(line.lstrip()[:1] == b"{" for line in lines) and _is_object(lines[0])
    )


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_json_value(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _bare(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


def read_json(path: Path) -> Reading:
    content = _bare(path.read_bytes())
    try:
        frame = pl.read_json(content, infer_schema_length=None)
        is_records = content[:1] == b"["
    except pl.exceptions.PolarsError:
        return typed_reading(settled(_parse(content)))
    return typed_reading(frame if is_records else _columns(frame, content))


def read_json_lines(path: Path) -> Reading:
    content = _bare(path.read_bytes())
    try:
        refuse_width(len(pl.scan_ndjson(content, infer_schema_length=None).collect_schema()))
        frame = pl.read_ndjson(content, infer_schema_length=None)
    except pl.exceptions.PolarsError:
        frame = settled([_parse_line(number, line) for number, line in _lines(content)])
    return typed_reading(_filled(frame))


def stream_json(path: Path) -> Stream:
    """Read as a whole and cut up, each row as it is: an odd cell must not change others of its column."""

    def pieces(rows: int, _: Sequence[int]) -> Iterator[Piece]:
        found = _records(_parse(_bare(path.read_bytes())))
        if isinstance(found, dict):
            found = [dict(zip(found, cells, strict=True)) for cells in zip(*found.values(), strict=True)]
        for start in range(0, len(found), rows):
            yield found[start : start + rows]

    return Stream(None, pieces)


def stream_json_lines(path: Path) -> Stream:
    def pieces(rows: int, _: Sequence[int]) -> Iterator[Piece]:
        with path.open("rb") as file:
            lines = ((number, line) for number, line in enumerate(file, start=1) if line.strip())
            records = (_parse_line(number, _bare(line)) for number, line in lines)
            while piece := list(itertools.islice(records, rows)):
                yield piece

    return Stream(None, pieces)


def json_lines_by_column(path: Path, folder: Path) -> ByColumn:
    """The types of all lines are found first. What polars cannot read this way is told by the slower look."""
    raw, named = folder / "named.arrow", folder / "raw.arrow"
    try:
        pl.scan_ndjson(path, infer_schema_length=None).sink_ipc(raw, compression="uncompressed")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        frame = read_json_lines(path).frame
        return ByColumn(
            tuple(frame.columns), frame.height, int(frame.estimated_size()), lambda at: _placed(frame, at)
        )
    names = tuple(pl.read_ipc_schema(raw))
    pl.scan_ipc(raw).rename({name: str(at) for at, name in enumerate(names)}).sink_ipc(
        named, compression="uncompressed"
    )
    raw.unlink()
    return spool.opened(named, names)


def _placed(frame: pl.DataFrame, places: Sequence[int]) -> pl.DataFrame:
    return pl.DataFrame([frame.to_series(at).alias(str(at)) for at in places])


def _columns(frame: pl.DataFrame, content: bytes) -> pl.DataFrame:
    """An object arrives as one row; where each value is a list, these are the columns."""
    lists = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
    lengths = {len(frame[name][0]) for name in lists if frame[name][0] is not None}
    if frame.height != 1 or len(lists) != frame.width or len(lengths) != 1:
        return settled(_parse(content))
    columns = frame.explode(lists)
    alone = columns.width == 1 and isinstance(columns.dtypes[0], pl.Struct)
    return _filled(columns.unnest(columns.columns[0]) if alone else columns)


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content)
    except RecursionError as error:
        raise BrokenFile("The JSON is nested too deeply to be a table.", SHAPES) from error
    except UnicodeDecodeError as error:
        raise BrokenFile(f"The JSON is not in UTF-8 (byte {error.start}).", "Save it as UTF-8.") from error
    except json.JSONDecodeError as error:
        cause = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise BrokenFile(f"The JSON is damaged or cut off at {cause}.", "Export it again.") from error
    except ValueError as error:  # a number of thousands of digits
        raise BrokenFile(
            f"The JSON holds a number that is too long: {error}.", "Write it as text."
        ) from error


def _parse_line(number: int, line: bytes) -> Any:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BrokenFile(f"Line {number} is no JSON record: {error}.", "Mend or remove it.") from error
    if not isinstance(record, dict):
        raise BrokenFile(f"Line {number} is no JSON record but {_kind(record)}.", "Mend or remove it.")
    return record


def _lines(content: bytes) -> list[tuple[int, bytes]]:
    return [(number, line) for number, line in enumerate(content.split(b"\n"), start=1) if line.strip()]


def settled(value: Any) -> pl.DataFrame:
    records = _records(value)
    try:
        frame = pl.DataFrame(records, infer_schema_length=None, strict=False)
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        raise BrokenFile(f"The JSON makes no table: {error}.", SHAPES) from error
    return _filled(frame)


def _records(value: Any) -> Any:
    """The records or columns inside a JSON value."""
    if _are(dict, value):
        return value
    if isinstance(value, dict) and value:
        wrapped = [inner for inner in value.values() if inner and _are(dict, inner)]
        if len(wrapped) == 1 and not any(isinstance(v, list) and v is not wrapped[0] for v in value.values()):
            return wrapped[0]  # {"count": 2, "items": [{…}, {…}]}
        if _are(list, list(value.values())):
            return _of_equal_length(value)
        if _are(dict, list(value.values())):
            return {name: list(cells.values()) for name, cells in value.items()}  # {column: {row: value}}
    raise _no_table(value)


def _are(kind: type, values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(item, kind) for item in values)


def _of_equal_length(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    lengths = [f"{name} has {len(items)}" for name, items in columns.items()]
    if len({len(items) for items in columns.values()}) > 1:
        listed = ", ".join(lengths[:5]) + (", …" if len(lengths) > 5 else "")
        raise BrokenFile(f"The columns differ in length: {listed}.", "Fill the shorter ones with null.")
    return columns


def _no_table(value: Any) -> FileError:
    if value in ([], {}):
        return EmptyFile("The JSON holds no records.", SHAPES)
    return BrokenFile(f"The file is no table but {_kind(value)}.", SHAPES)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _filled(frame: pl.DataFrame) -> pl.DataFrame:
    if not frame.width or not frame.height:
        raise EmptyFile("The JSON holds no records with fields.", SHAPES)
    return frame


JSON = Format("json", "JSON", (".json",), _is_json, read_json, stream_json)
JSON_LINES = Format(
    "jsonl",
    "JSON Lines",
    (".jsonl", ".ndjson"),
    _is_json_lines,
    read_json_lines,
    stream_json_lines,
    by_column=json_lines_by_column,
)
