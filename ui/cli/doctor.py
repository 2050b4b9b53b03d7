"""`flowml doctor` and `flowml-worker doctor`: the checks of this machine, one line each."""

from __future__ import annotations

import json

import typer

from flowml.runner import doctor
from flowml.runner.doctor import Health
from flowml.runner.settings import read_settings
from flowml.ui.cli.ending import EXPLAINED

COLORS = {Health.OK: typer.colors.GREEN, Health.WARN: typer.colors.YELLOW, Health.FAIL: typer.colors.RED}


def examine(as_json: bool, worker: bool = False) -> None:
    """Ends with code 1 when a check failed."""
    diagnoses = doctor.examine(read_settings(), worker)
    if as_json:
        checks = [diagnosis.to_dict() for diagnosis in diagnoses]
        typer.echo(json.dumps({"healthy": doctor.healthy(diagnoses), "checks": checks}))
    else:
        for diagnosis in diagnoses:
            mark = typer.style(f"{diagnosis.health.value:<4}", fg=COLORS[diagnosis.health], bold=True)
            typer.echo(f"{mark}  {diagnosis.check:<12} {diagnosis.text}")
            if diagnosis.advice:
                typer.echo(f"{'':<19}{diagnosis.advice}")
    if not doctor.healthy(diagnoses):
        raise typer.Exit(EXPLAINED)
