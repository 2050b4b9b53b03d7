"""`flowml package`: a model with all that is needed to use it elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from flowml.runner.local import package
from flowml.storage.errors import NotFound


def package_model(model: Path, out: Path, compact: bool, ml: int, as_json: bool) -> None:
    if not model.exists():
        raise NotFound(
            f"There is no model file {model}.",
            f"Check the path. One of a studio: `flowml models download {model} --format package`.",
        )
    size = package(model, out, compact, ml)
    if as_json:
        typer.echo(json.dumps({"out": str(out), "size": size}))
    else:
        typer.echo(f"{out}, {size / 1e6:.2g} MB: unzip it, then python predict.py rows.csv")
