"""`flowml config`: what is set, and where that comes from."""

from __future__ import annotations

import json
import os
from pathlib import Path

import typer

from flowml.runner.settings import effective
from flowml.ui.cli.asking import Column, show

COLUMNS: tuple[Column, ...] = (
    ("SETTING", lambda e: e.setting.name),
    ("VALUE", lambda e: e.shown),
    ("FROM", lambda e: e.origin),
)


def show_settings(as_json: bool, changed: bool) -> None:
    """All of them, or only those that are not at their default. Secrets are hidden."""
    found = [
        each for each in effective(os.environ, Path.cwd() / ".env") if not changed or each.origin != "default"
    ]
    if as_json:
        told = {
            each.setting.name: {"value": each.shown, "from": each.origin, "help": each.setting.help}
            for each in found
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    show(found, COLUMNS, False, "Everything is at its default.")
