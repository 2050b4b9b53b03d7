"""`flowml predict`: a table in, predictions out."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import typer

from flowml.runner.local import predict

SHOWN_WARNINGS = 5


def predict_table(
    model: str, file: Path, out: Path, as_json: bool, table: str = "", studio: str = ""
) -> None:
    """`model` is a file or folder of this machine, else a model of a studio, which is fetched."""
    if not studio and (Path(model).exists() or _like_a_path(model)):
        done = predict(Path(model), file, out, table=table)
    else:
        from flowml.ui.client import Studio

        with tempfile.TemporaryDirectory(prefix="flowml-") as folder, Studio(studio) as asked:
            fetched = asked.download(model, Path(folder) / "model.onnx")
            done = predict(fetched, file, out, table=table)
    if as_json:
        warnings = len(done.warnings) + done.more_warnings
        typer.echo(json.dumps({"rows": done.rows, "warnings": warnings, "out": str(out)}))
        return
    typer.echo(f"{done.rows:,} rows predicted, written to {out}.")
    for warning in done.warnings[:SHOWN_WARNINGS]:
        typer.echo(f"  {warning}")
    if (more := len(done.warnings) - SHOWN_WARNINGS + done.more_warnings) > 0:
        typer.echo(f"  and {more} more kinds of warnings, in the column `warnings`.")


def _like_a_path(model: str) -> bool:
    return model.endswith(".onnx") or "/" in model or "\\" in model
