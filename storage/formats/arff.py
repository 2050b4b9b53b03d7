"""ARFF, the files of Weka: columns with their types in a header, then rows, full or sparse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flowml.storage.errors import BrokenFile, EmptyFile
from flowml.storage.formats.row import Format
from flowml.storage.reading import Reading, refuse_width

HEADER = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:[ \t\r]*(?:%[^\n]*)?\n)*[ \t]*@relation\b", re.IGNORECASE)
QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
ATTRIBUTE = re.compile(rf"@attribute\s+({QUOTED}|\S+)\s+(.+)", re.IGNORECASE)
FIELD = re.compile(rf"\s*({QUOTED}|[^,]*?)\s*(,|$)")
SPARSE = re.compile(rf"\s*(\d+)\s+({QUOTED}|[^,]*?)\s*(,|$)")
NUMERIC = ("numeric", "real", "integer")
DATE_SIGNS = (  # of Java, and how they are written here
    ("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"), ("SSS", "%3f"),
)  # fmt: skip
ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
ISO = "yyyy-MM-dd'T'HH:mm:ss"
LATIN = "cp1252"


@dataclass(frozen=True)
class Attribute:
    name: str
    kind: str  # a row of SETTLED
    absent: str | None  # what a sparse row means where it says nothing
    form: str = ""  # of a date


def read(path: Path) -> Reading:
    lines = _lines(path)
    attributes = _header(lines)
    if not attributes:
        raise EmptyFile("The ARFF file names no column (@attribute).", "Export it again.")
    refuse_width(len(attributes))
    columns: list[list[str | None]] = [[] for _ in attributes]
    for number, line in lines:
        for column, value in zip(columns, _row(number, line, attributes), strict=True):
            column.append(value)
    if not columns[0]:
        raise EmptyFile("The ARFF file has no rows after @data.", "Add a file with at least one row.")
    settled = [_settled(attribute, column) for attribute, column in zip(attributes, columns, strict=True)]
    frame = pl.DataFrame([column.alias(str(at)) for at, column in enumerate(settled)])
    return Reading(frame, tuple(attribute.name for attribute in attributes))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Those that say something, with their numbers."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode(LATIN, "replace")
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("%"):
            yield number, line.strip()


def _header(lines: Iterator[tuple[int, str]]) -> list[Attribute]:
    attributes: list[Attribute] = []
    for number, line in lines:
        word = line.split(None, 1)[0].lower()
        if word == "@data":
            return attributes
        if word == "@attribute":
            attributes.append(_attribute(number, line))
        elif word != "@relation":
            raise BrokenFile(f"Line {number} is none of an ARFF header: {line[:60]!r}.", "Mend or remove it.")
    raise BrokenFile("The ARFF file is cut off: it has no line @data.", "Export it again.")


def _attribute(number: int, line: str) -> Attribute:
    found = ATTRIBUTE.fullmatch(line)
    if not found:
        raise BrokenFile(f"Line {number} names a column without a type: {line[:60]!r}.", "Mend it.")
    name, declared = _bare(found[1]), found[2].strip()
    word = declared.split(None, 1)[0].lower()
    if declared.startswith("{"):
        kinds = [_bare(value) for value, _ in FIELD.findall(declared.strip("{}")) if value]
        truth = {kind.lower() for kind in kinds} == {"true", "false"}
        return Attribute(name, "truth" if truth else "kind", kinds[0] if kinds else "")
    if word in NUMERIC:
        return Attribute(name, "number", "0")
    if word == "string":
        return Attribute(name, "word", "")
    if word == "date":
        return Attribute(name, "date", None, _date_form(declared[4:].strip()))
    raise BrokenFile(
        f"Line {number} has a column of type {word[:30]!r}.",
        "Types that are read: numeric, real, integer, string, date and {kinds}.",
    )


def _date_form(declared: str) -> str:
    form = _bare(declared) or ISO
    for java, ours in DATE_SIGNS:
        form = form.replace(java, ours)
    return form.replace("'", "")


def _row(number: int, line: str, attributes: list[Attribute]) -> list[str | None]:
    if line.startswith("{"):
        return _sparse(number, line, attributes)
    values = [_value(found) for found in _fields(FIELD, number, line)]
    if len(values) != len(attributes):
        raise BrokenFile(
            f"Line {number} has {len(values)} values; the header names {len(attributes)} columns.", "Mend it."
        )
    return values


def _sparse(number: int, line: str, attributes: list[Attribute]) -> list[str | None]:
    values: list[str | None] = [attribute.absent for attribute in attributes]
    inner = line.strip().removeprefix("{").removesuffix("}").strip()
    for found in _fields(SPARSE, number, inner) if inner else ():
        place = int(found[1][:9])
        if place >= len(attributes):
            raise BrokenFile(f"Line {number} has a value for column {place}, which is not there.", "Mend it.")
        values[place] = _value(found, group=2)
    return values


def _fields(pattern: re.Pattern[str], number: int, line: str) -> Iterator[re.Match[str]]:
    at = 0
    while True:
        found = pattern.match(line, at)
        if not found:
            raise BrokenFile(f"Line {number} cannot be told apart into values: {line[:60]!r}.", "Mend it.")
        yield found
        at = found.end()
        if not found[found.re.groups]:
            return


def _value(found: re.Match[str], group: int = 1) -> str | None:
    return None if found[group] in ("?", "") else _bare(found[group])


def _bare(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return re.sub(r"\\(.)", lambda escaped: ESCAPED.get(escaped[1], escaped[1]), text[1:-1])
    return text


def _settled(attribute: Attribute, values: list[str | None]) -> pl.Series:
    column = pl.Series(values, dtype=pl.String)
    settle, kind = SETTLED[attribute.kind]
    typed = settle(column, attribute.form)
    lost = column.filter(typed.is_null() & column.is_not_null())
    if len(lost):
        raise BrokenFile(
            f"The column {attribute.name!r} holds {lost[0][:40]!r}, which is no {kind}.",
            "Mend it or its type.",
        )
    return typed


def _numbers(column: pl.Series, _: str) -> pl.Series:
    numbers = column.cast(pl.Float64, strict=False)
    whole = column.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == numbers.null_count() else numbers


def _dates(column: pl.Series, form: str) -> pl.Series:
    """Without a time of the day in its form, a date."""
    if "%H" in form:
        return column.str.to_datetime(form, strict=False)
    return column.str.to_date(form, strict=False)


SETTLED: dict[str, tuple[Callable[[pl.Series, str], pl.Series], str]] = {
    "number": (_numbers, "number"),
    "word": (lambda column, _: column, "text"),
    "kind": (lambda column, _: column.cast(pl.Categorical), "text"),
    "truth": (lambda column, _: column.str.to_lowercase() == "true", "truth value"),
    "date": (_dates, "date of the form that the header names"),
}

ARFF = Format("arff", "ARFF", (".arff",), lambda head, _: bool(HEADER.match(head)), read)
