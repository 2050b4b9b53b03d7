"""How a delimited text file is written: encoding, delimiter, quote and header, told from its first bytes."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

DELIMITERS = (
    ",",
    ";",
    "\t",
    "|",
    "~",
    "^",
    " ",
)  # of equal fit, the first; blanks only where nothing else fits
NAMES = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "|": "bars",
    "~": "tildes",
    "^": "carets",
    " ": "blanks",
}
SAMPLE_LINES = 200
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*")
GOOD_FIT = 0.5
TOLD = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # a first line with which Excel is told the delimiter
BORDER = r"[,;\t|~^ \r\n]"

csv.field_size_limit((1 << 31) - 1)


@dataclass(frozen=True)
class Dialect:
    encoding: str
    delimiter: str
    quote: str
    blank_lines: int  # before the first line that holds something, with one that tells the delimiter
    first: tuple[str, ...]  # the fields of that line
    has_header: bool
    only_line: bool  # nothing follows it


def detect(head: bytes, whole: bool = False, encoding: str = "") -> Dialect:
    """`head` may end in the middle of a line unless it is the whole file. One column counts as commas."""
    encoding = encoding or encoding_of(head)
    lines = list(io.StringIO(head.decode(encoding, "replace"), newline=""))
    blank = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    told = TOLD.fullmatch(lines[blank]) if lines[blank + 1 :] else None
    blank += told is not None
    sample = lines[blank : blank + SAMPLE_LINES]
    if not whole and 1 < len(sample) == len(lines) - blank:
        sample = sample[:-1]
    quote = _quote(sample)
    delimiter = told[1] if told and told[1] in DELIMITERS else _delimiter(sample, quote)
    rows = _rows(sample, delimiter, quote)
    first = tuple(rows[0]) if rows else ()
    only_line = whole and not any(line.strip() for line in lines[blank + 1 :])
    return Dialect(encoding, delimiter, quote, blank, first, _names_columns(rows[:2]), only_line)


def encoding_of(head: bytes) -> str:
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    even, odd = head[0:2000:2], head[1:2000:2]
    if len(odd) >= 2 and odd.count(0) > 0.3 * len(odd) and even.count(0) < 0.05 * len(even):
        return "utf-16-le"
    if len(odd) >= 2 and even.count(0) > 0.3 * len(even) and odd.count(0) < 0.05 * len(odd):
        return "utf-16-be"
    return "utf-8"


def _quote(lines: Sequence[str]) -> str:
    """Apostrophes quote where half of the lines have a field in them, and no field is in quotes proper."""
    text = "".join(lines)
    if re.search(rf"(?m)(^|{BORDER})\"[^\"]*\"($|{BORDER})", text):
        return '"'
    field = re.compile(rf"(^|{BORDER})'[^']+'($|{BORDER})")
    return "'" if 2 * sum(1 for line in lines if field.search(line.rstrip("\r\n"))) >= len(lines) > 0 else '"'


def _delimiter(lines: Sequence[str], quote: str) -> str:
    fits = {delimiter: _fit(lines, delimiter, quote) for delimiter in DELIMITERS}
    blank_fit = fits.pop(" ")
    best = max(fits, key=lambda delimiter: fits[delimiter])
    if fits[best] > (0.0, 0):
        return best
    return " " if blank_fit[0] > GOOD_FIT else ","


def _fit(lines: Sequence[str], delimiter: str, quote: str) -> tuple[float, int]:
    """The share of lines that have the usual number of fields, and that number."""
    counts = [len(row) for row in _rows(lines, delimiter, quote)]
    if not counts:
        return 0.0, 0
    fields, times = Counter(counts).most_common(1)[0]
    if fields < 2:
        return 0.0, 0
    share = times / len(counts)
    return (share if counts[0] == fields else share / 2), fields


def _rows(lines: Sequence[str], delimiter: str, quote: str) -> list[list[str]]:
    return [row for row in csv.reader(lines, delimiter=delimiter, quotechar=quote) if row]


def _names_columns(rows: Sequence[Sequence[str]]) -> bool:
    """A first line of numbers holds values, unless it alone counts on (0, 1, 2 … or years)."""
    if not rows or not all(NUMBER.fullmatch(field) for field in rows[0]):
        return True
    return _counts_on(rows[0]) and not any(_counts_on(row) for row in rows[1:])


def _counts_on(fields: Sequence[str]) -> bool:
    if len(fields) < 2 or not all(field.strip().isdigit() for field in fields):
        return False
    first = int(fields[0])
    return [int(field) for field in fields] == list(range(first, first + len(fields)))
