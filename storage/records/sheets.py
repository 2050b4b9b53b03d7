"""What spreadsheets make of a cell, and how a text is kept from being run as a formula."""

from __future__ import annotations

import re

FORMULA = r"^[=+\-@＝＋－＠\t\r\n]"  # a text that begins so is run
NUMBER = r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?"  # unless it is a number
MOST_ROWS = (1 << 20) - 1  # of a sheet, below its heading
MOST_COLUMNS = 1 << 14
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST = (1 << 15) - 1  # characters of a cell
LARGEST = 10**15  # whole numbers beyond lose digits

_FORMULA, _NUMBER = re.compile(FORMULA), re.compile(NUMBER)


def is_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None


def harmless(text: str) -> str:
    """The text, behind a quote if a spreadsheet would run it."""
    return f"'{text}" if is_formula(text) else text
