"""Which lines of a delimited file do not fit its header: the slow, exact look, taken when reading failed."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from flowml.storage.errors import BrokenFile
from flowml.storage.formats.dialect import NAMES, Dialect

SHOWN = 5


@dataclass(frozen=True)
class BadLine:
    number: int
    found: int
    open_quote: bool


def explain(path: Path, dialect: Dialect) -> BrokenFile:
    expected = len(dialect.first)
    bad = bad_lines(path, dialect)
    if not bad:
        return BrokenFile("The file is damaged: its lines cannot be told apart.", "Export it again.")
    if bad[-1].open_quote:
        return unclosed(bad[-1].number, dialect)
    listed = ", ".join(f"line {line.number} has {line.found}" for line in bad[:SHOWN])
    listed += ", …" if len(bad) > SHOWN else ""
    several = "1 line does" if len(bad) == 1 else f"{len(bad):,} lines do"
    first = "header" if dialect.has_header else "first line"
    return BrokenFile(
        f"{several} not have the {expected} fields of the {first}: {listed}.",
        f"Fields are parted by {NAMES[dialect.delimiter]}; look there for one too many or too few, "
        "or a value that needs quotes.",
    )


def unclosed(line: int, dialect: Dialect) -> BrokenFile:
    return BrokenFile(
        f"A quote ({dialect.quote}) that opens in line {line} is never closed.", "Close it or remove it."
    )


def bad_lines(path: Path, dialect: Dialect) -> list[BadLine]:
    """Rows of another number of fields than the first; lines of blanks are none."""
    expected = len(dialect.first)
    bad: list[BadLine] = []
    with path.open(encoding=dialect.encoding, errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=dialect.delimiter, quotechar=dialect.quote)
        before = 0
        last: tuple[int, int] = (0, 0)
        for row in reader:
            begun = reader.line_num > dialect.blank_lines
            if row and begun and len(row) != expected and "".join(row).strip():
                bad.append(BadLine(before + 1, len(row), False))
            last = (before + 1, reader.line_num)
            before = reader.line_num
    starts, ends = last
    if bad and bad[-1].number == starts and ends > starts:
        bad[-1] = BadLine(starts, bad[-1].found, True)
    return bad


def last_line(path: Path, dialect: Dialect) -> int:
    """Where the last row begins."""
    with path.open(encoding=dialect.encoding, errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=dialect.delimiter, quotechar=dialect.quote)
        starts = before = 0
        for _ in reader:
            starts, before = before + 1, reader.line_num
    return starts
