"""`flowml predict`: a table in, predictions out."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from flowml.runner.local import predict

SHOWN_WARNINGS = 5


def predict_table(model: Path, file: Path, out: Path, as_json: bool, table: str = "") -> None:
    done = predict(model, file, out, table=table)
    if as_json:
        warnings = len(done.warnings) + done.more_warnings
        typer.echo(json.dumps({"rows": done.rows, "warnings": warnings, "out": str(out)}))
        return
    typer.echo(f"{done.rows:,} rows predicted, written to {out}.")
    for warning in done.warnings[:SHOWN_WARNINGS]:
        typer.echo(f"  {warning}")
    if (more := len(done.warnings) - SHOWN_WARNINGS + done.more_warnings) > 0:
        typer.echo(f"  and {more} more kinds of warnings, in the column `warnings`.")
