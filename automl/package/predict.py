"""Predict the rows of a CSV or JSON file: python predict.py rows.csv > predictions.csv

Needs Python 3.11, onnxruntime, numpy, and model.onnx beside it. What cannot be read is missing.
"""

import csv
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

MISSING = {"", "nan", "NaN", "None", "<NA>", "NaT", "null", "NULL", "NA", "N/A", "#N/A"}
TRUTHS = {
    **dict.fromkeys(["true", "t", "yes", "y", "on"], "1"),
    **dict.fromkeys(["false", "f", "no", "n", "off"], "0"),
}
NO_DATE = -(2.0**63)


def moment(text: str, column: dict[str, Any]) -> float:
    ways = [way.replace("%#z", "%z") for way in column["written"]]  # as training wrote its dates
    for way in ("", *ways, *(way.replace("%.f", ".%f") for way in ways)):
        try:
            other = way.replace("%.f", "")
            found = datetime.strptime(text, other) if way else datetime.fromisoformat(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except ValueError:
            continue
    return NO_DATE


def number(text: str, column: dict[str, Any]) -> float:
    if column["type"] == "time" and ":" in text:
        return moment(f"1970-01-01T{text}", column)
    if "1.234,5" in column["written"] and "," in text:
        text = text.replace(".", "").replace(",", ".")
    if "1,234.5" in column["written"]:
        text = text.replace(",", "")
    try:
        value = float(TRUTHS.get(text.lower(), text))
        return value if abs(value) < 3.4e38 else float("nan")
    except ValueError:
        return float("nan")


def spelled(cell: Any) -> str:
    if cell is None or isinstance(cell, str):
        return (cell or "").strip()
    return json.dumps(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)


def feed(rows: list[dict[str, Any]], contract: dict[str, Any]) -> dict[str, Any]:
    feeds = {}
    for column in contract["columns"]:
        texts = [spelled(row.get(column["name"])) for row in rows]
        if column["kind"] == "number":
            values = np.array([np.nan if t in MISSING else number(t, column) for t in texts])
        elif column["kind"] == "datetime":
            dates = [NO_DATE if t in MISSING else moment(t, column) for t in texts]
            values = np.floor(dates).astype(np.int64)
        else:
            values = np.array(texts, dtype=object)
        feeds[column["input"] or column["name"]] = values.reshape(-1, 1)
    return feeds


def harmless(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula stands behind a quote; a number is none."""
    if not isinstance(value, str) or value[:1] not in tuple("=+-@\t\r\n"):
        return value
    return value if re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", value) else f"'{value}"


def main(path: str) -> None:
    text = Path(path).read_text(encoding="utf-8-sig")
    lines = text.splitlines(keepends=True)
    given = json.loads(text) if path.endswith(".json") else list(csv.DictReader(lines))
    rows = given.get("data", given) if isinstance(given, dict) else given
    session = onnxruntime.InferenceSession(str(Path(__file__).with_name("model.onnx")))
    contract = json.loads(session.get_modelmeta().custom_metadata_map["flowml.contract"])
    values, *shares = session.run(None, feed(rows if isinstance(rows, list) else [rows], contract))
    out = csv.writer(sys.stdout)
    out.writerow(["prediction", *(f"probability_{name}" for name in contract["classes"])])
    out.writerows(zip(map(harmless, values), *(column for each in shares for column in each.T), strict=True))


if __name__ == "__main__":
    main(sys.argv[1])
