"""What the schema of a package says of a column, and how a text in a file becomes what the model is fed.

`predict.py` follows `x-rewrites`, `x-ways`, `x-missing` and `x-dtype`, so that it needs no rule of its own.
"""

from __future__ import annotations

import csv
import io

import numpy as np

from flowml.automl.contract import Contract, ContractColumn, Kind
from flowml.automl.contract.dates import python_formats
from flowml.automl.contract.reading import DTYPES
from flowml.automl.contract.values import TRUTHS
from flowml.storage.records import COMMA_DECIMALS, COMMA_THOUSANDS, Json

TYPES = {Kind.NUMBER: "number", Kind.STRING: "string", Kind.TEXT: "string", Kind.DATETIME: "string"}
MISSING = {Kind.STRING: "", Kind.TEXT: "", Kind.DATETIME: -(2**63)}  # numbers: null, which numpy makes NaN
NO_NUMBER = [r"[_\x80-\U0010ffff]|(?i:inf.*)", "?"]  # Python would read 1_000, infinity, any script
FRACTION_OF_SECOND = [r"(?<=:\d\d)[.,]\d+", ""]
DAY_OF_TIMES = "1970-01-01T"
ZONE_OF_TIME = [r"(?<=:\d\d)([.,]\d+)?(?i:Z|[+-]\d\d(:?\d\d)?)$", r"\1"]  # a time of the day has none


def described(column: ContractColumn) -> Json:
    """One property of the JSON Schema of a row, with a few words of ours."""
    said: Json = {"type": [TYPES[column.kind], "null"]}
    if column.kind is Kind.DATETIME:
        said["format"] = "date-time"
    said |= {
        "examples": [column.example] if column.example is not None else [],
        "x-input": column.feed,
        "x-kind": column.kind.value,
        "x-dtype": np.dtype(DTYPES[column.kind]).name,
        "x-ways": _ways(column),
        "x-rewrites": _rewrites(column),
        "x-missing": MISSING.get(column.kind),
        "x-missing-share": column.missing_share,
    }
    if column.categories:
        said["x-seen"] = list(column.categories)
    if column.maximum is not None:
        said |= {"x-minimum": column.minimum, "x-maximum": column.maximum}
    return said


def example_rows(contract: Contract) -> str:
    """The contract's ordinary row as a CSV file."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(contract.example)
    writer.writerow(contract.example.values())
    return file.getvalue()


def _ways(column: ContractColumn) -> list[str]:
    """Which ways of reading are tried, in this order: text, number, ISO, or a format of `strptime`."""
    if column.kind in (Kind.STRING, Kind.TEXT):
        return ["text"]
    dates = [each for way in column.written if "%" in way for each in python_formats(way)]
    if column.kind is Kind.DATETIME:
        return ["iso", *dates]
    times = ["iso", *(f"%Y-%m-%dT{each}" for each in dates)]
    return ["number", *(times if column.reading == "time" else [])]


def _rewrites(column: ContractColumn) -> list[list[str]]:
    """Patterns and what stands in their place, for texts of numbers, times of the day and dates."""
    if column.kind is Kind.DATETIME:
        return [FRACTION_OF_SECOND]
    if column.kind is not Kind.NUMBER:
        return []
    truths = TRUTHS if column.reading == "boolean" else {"true": 1.0, "false": 0.0}
    found = [NO_NUMBER]
    for value in (1.0, 0.0):
        words = "|".join(word for word, meant in truths.items() if meant == value)
        found.append([f"(?i)^({words})$", f"{value:.0f}"])
    if COMMA_DECIMALS in column.written:
        found += [[r"\.(?=.*,)", ""], [",", "."]]
    if COMMA_THOUSANDS in column.written:
        found.append([",", ""])
    if column.reading == "time":
        found += [ZONE_OF_TIME, ["^(?=.*:)", DAY_OF_TIMES]]
    return found
