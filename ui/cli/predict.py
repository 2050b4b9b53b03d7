"""`flowml predict`: a table in, predictions out."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from flowml.runner.local import compare, predict
from flowml.storage.records import DriftSummary
from flowml.storage.shown import harmless
from flowml.ui.cli.asking import show
from flowml.ui.cli.looks import CHANGES

SHOWN_WARNINGS = 5
SHOWN_DRIFT = 5
TOLD_EVERY_S = 0.5


def predict_table(
    model: str, file: Path, out: Path, as_json: bool, table: str = "", studio: str = ""
) -> None:
    """`model` is a file or folder of this machine, else a model of a studio, which is fetched."""
    with _fetched(model, studio) as path:
        done = predict(path, file, out, _progress(), table)
    if as_json:
        warnings = len(done.warnings) + done.more_warnings
        drifted = [column.column for column in done.drift.drifted] if done.drift else []
        found = {"rows": done.rows, "warnings": warnings, "drifted": drifted, "out": str(out)}
        typer.echo(json.dumps(found))
        return
    typer.echo(f"{done.rows:,} rows predicted, written to {out}.")
    for warning in done.warnings[:SHOWN_WARNINGS]:
        typer.echo(harmless(f"  {warning}"))
    if (more := len(done.warnings) - SHOWN_WARNINGS + done.more_warnings) > 0:
        typer.echo(f"  and {more} more kinds of warnings, in the column `warnings`.")
    if done.drift is not None:
        _tell_drift(done.drift)


def compare_table(model: str, file: Path, as_json: bool, table: str = "", studio: str = "") -> None:
    with _fetched(model, studio) as path:
        found = compare(path, file, _progress(), table)
    if as_json:
        typer.echo(json.dumps(found.to_dict()))
        return
    typer.echo(f"{found.rows:,} rows compared with those of the training.")
    show(found.drifted, CHANGES, False, "They are spread alike.")
    _tell_absent(found)


@contextmanager
def _fetched(model: str, studio: str) -> Iterator[Path]:
    if not studio and (Path(model).exists() or _like_a_path(model)):
        yield Path(model)
        return
    from flowml.ui.client import Studio

    with tempfile.TemporaryDirectory(prefix="flowml-") as folder, Studio(studio) as asked:
        yield asked.download(model, Path(folder) / "model.onnx")


def _tell_drift(drift: DriftSummary) -> None:
    if drift.drifted:
        typer.echo("The rows are not quite like those of the training:")
    for column in drift.drifted[:SHOWN_DRIFT]:
        typer.echo(harmless(f"  {column.column}: {column.message}"))
    if (more := len(drift.drifted) - SHOWN_DRIFT) > 0:
        typer.echo(f"  and {more} more columns.")
    _tell_absent(drift)


def _tell_absent(drift: DriftSummary) -> None:
    if drift.absent:
        typer.echo(harmless(f"Not in this table: {', '.join(drift.absent)}."))


def _progress() -> Callable[[int, int | None], None] | None:
    """One line on stderr that is written anew now and then; None where nobody looks at it."""
    if not sys.stderr.isatty():
        return None
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
