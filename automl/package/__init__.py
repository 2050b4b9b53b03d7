"""A model's package: a zip that predicts with onnxruntime and numpy alone, and says what it holds.

`predict.py` goes into it as it stands and imports nothing of ours.
"""

from __future__ import annotations

import io
import json
import zipfile
from importlib.metadata import version
from pathlib import Path

from flowml.automl.card import to_markdown
from flowml.automl.package.columns import described, example_rows
from flowml.automl.package.page import to_html
from flowml.automl.serve import Predictor
from flowml.storage.records import Json
from flowml.storage.records.sheets import harmless, is_formula

SCRIPT = Path(__file__).with_name("predict.py")
NEEDS = ("numpy", "onnxruntime")
USE = (
    "`python predict.py rows.csv > out.csv` predicts with onnxruntime and numpy alone. The script reads CSV"
    " in UTF-8 with commas. It gives no warnings, looks for no other spelling of a column or category, takes"
    " what it cannot read as missing, and reads no Parquet. For these there is `flowml predict`."
)
WRITTEN_AT = (1980, 1, 1, 0, 0, 0)  # of all files, so that the same model makes the same bytes


def pack(content: bytes) -> bytes:
    """The package of a model's file. Raises ContractError for one that is not ours."""
    predictor = Predictor(content)
    card = predictor.about("card")
    files: dict[str, bytes | str] = {
        "model.onnx": content,
        "predict.py": SCRIPT.read_text(encoding="utf-8"),
        "requirements.txt": "".join(f"{name}=={version(name)}\n" for name in NEEDS),
        "schema.json": _json(schema(predictor)),
        "request.json": _json({"data": predictor.contract.example}),
        "rows.csv": example_rows(predictor.contract),
    }
    if card:
        files |= {"card.md": to_markdown(card, USE), "card.html": to_html(card, USE)}
    return _zipped(files)


def schema(predictor: Predictor) -> Json:
    """What goes in and what comes out, as JSON Schema of one row with a few words of ours."""
    contract = predictor.contract
    return {
        "title": f"A row for the prediction of {contract.target}",
        "type": "object",
        "properties": {column.name: described(column) for column in contract.columns},
        "x-task": contract.task.value,
        "x-target": contract.target,
        "x-classes": list(contract.classes),
        "x-quoted": {name: harmless(name) for name in contract.classes if is_formula(name)},
        "x-metric": contract.metric,
    }


def _json(value: Json) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _zipped(files: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, WRITTEN_AT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()
