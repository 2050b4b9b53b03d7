"""`flowml predict`: a table in, predictions out."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import typer

from flowml.runner.local import predict
from flowml.storage.records import DriftSummary

SHOWN_WARNINGS = 5
SHOWN_DRIFT = 5
TOLD_EVERY_S = 0.5


def predict_table(
    model: str, file: Path, out: Path, as_json: bool, table: str = "", studio: str = ""
) -> None:
    """`model` is a file or folder of this machine, else a model of a studio, which is fetched."""
    told = _progress() if sys.stderr.isatty() else None
    if not studio and (Path(model).exists() or _like_a_path(model)):
        done = predict(Path(model), file, out, told, table)
    else:
        from flowml.ui.client import Studio

        with tempfile.TemporaryDirectory(prefix="flowml-") as folder, Studio(studio) as asked:
            fetched = asked.download(model, Path(folder) / "model.onnx")
            done = predict(fetched, file, out, told, table)
    if as_json:
        warnings = len(done.warnings) + done.more_warnings
        drifted = [column.column for column in done.drift.drifted] if done.drift else []
        found = {"rows": done.rows, "warnings": warnings, "drifted": drifted, "out": str(out)}
        typer.echo(json.dumps(found))
        return
    typer.echo(f"{done.rows:,} rows predicted, written to {out}.")
    for warning in done.warnings[:SHOWN_WARNINGS]:
        typer.echo(f"  {warning}")
    if (more := len(done.warnings) - SHOWN_WARNINGS + done.more_warnings) > 0:
        typer.echo(f"  and {more} more kinds of warnings, in the column `warnings`.")
    if done.drift is not None:
        _tell_drift(done.drift)


def _tell_drift(drift: DriftSummary) -> None:
    if drift.drifted:
        typer.echo("The rows are not quite like those of the training:")
    for column in drift.drifted[:SHOWN_DRIFT]:
        typer.echo(f"  {column.column}: {column.message}")
    if (more := len(drift.drifted) - SHOWN_DRIFT) > 0:
        typer.echo(f"  and {more} more columns.")


def _progress() -> Callable[[int, int | None], None]:
    """One line on stderr that is written anew now and then."""
    last = time.monotonic()

    def told(done: int, of: int | None) -> None:
        nonlocal last
        if time.monotonic() - last < TOLD_EVERY_S and done != of:
            return
        last = time.monotonic()
        typer.echo(f"\r{done:,}{f' of {of:,}' if of else ''} rows", nl=done == of, err=True)

    return told


def _like_a_path(model: str) -> bool:
    return model.endswith(".onnx") or "/" in model or "\\" in model
