"""Predict the rows of a CSV file with onnxruntime and numpy alone: python predict.py rows.csv > out.csv"""

import csv
import json
import re
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

FOLDER, LIMIT = Path(__file__).parent, float(np.finfo("float32").max)
SCHEMA = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))


def read(text: str, column: dict[str, Any]) -> Any:
    """A text, a number, or the seconds of a date since 1970; what cannot be read is missing."""
    for pattern, instead in column["x-rewrites"]:
        text = re.sub(pattern, instead, text)
    for way in column["x-ways"]:
        with suppress(ValueError, OverflowError):
            if way in ("text", "number"):
                return text if way == "text" else float(text) if abs(float(text)) <= LIMIT else None
            found = datetime.fromisoformat(text) if way == "iso" else datetime.strptime(text, way)
            year = 2069 if "%y" in way and found.year == 1969 else found.year  # 69 meant 2069 in training
            return found.replace(year=year, tzinfo=found.tzinfo or UTC).astimezone(UTC).timestamp()
    return column["x-missing"]


csv.field_size_limit(2**31 - 1)
with Path(sys.argv[1]).open(newline="", encoding="utf-8-sig") as file:
    header, *lines = [line for line in csv.reader(file) if line] or [[]]
names = [" ".join(name.split()) for name in header]
rows = [dict(zip(names, line, strict=False)) for line in lines]
if rows and SCHEMA["properties"].keys().isdisjoint(names):
    sys.exit(f"None of the columns is known to the model. It expects: {', '.join(SCHEMA['properties'])}.")
feeds = {}
for name, column in SCHEMA["properties"].items():
    values = [read((row.get(name) or "").strip(), column) for row in rows]
    feeds[column["x-input"]] = np.array(values, dtype=column["x-dtype"]).reshape(-1, 1)
session = onnxruntime.InferenceSession(str(FOLDER / "model.onnx"))
parts = [session.run(None, {k: feeds[k][at : at + 1000] for k in feeds}) for at in range(0, len(rows), 1000)]
labels, *shares = [np.concatenate(each) for each in zip(*parts, strict=True)] or [np.array([])]
answers = csv.writer(sys.stdout)
answers.writerow(["prediction", *(f"probability_{name}" for name in SCHEMA["x-classes"])])
safe = [SCHEMA["x-quoted"].get(label, label) for label in labels]
answers.writerows(zip(safe, *(column for each in shares for column in each.T), strict=True))
