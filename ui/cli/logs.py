"""`flowml logs`: what a studio and its workers said."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

import typer

from flowml.storage.shown import harmless
from flowml.ui.api.bodies.operate import LogLineAnswer
from flowml.ui.cli.asking import plain
from flowml.ui.client import Studio

COLORS = {"warning": typer.colors.YELLOW, "error": typer.colors.RED, "debug": typer.colors.BRIGHT_BLACK}


def show_logs(
    studio: Studio, follow: bool, last: int, as_json: bool, text: str, level: str, source: str, job: str
) -> None:
    """The last lines, then with `follow` each as it is said, until Ctrl-C. As JSON, one object a line."""
    wanted = {"text": text, "level": level, "source": source, "job_id": job}
    lines: Iterable[LogLineAnswer] = (
        studio.follow_logs(**wanted, last=last) if follow else studio.logs(**wanted, limit=max(1, last))
    )
    for line in lines:
        typer.echo(json.dumps(plain(line), ensure_ascii=False) if as_json else written(line))


def written(line: LogLineAnswer) -> str:
    at = datetime.fromtimestamp(line.at).strftime("%m-%d %H:%M:%S")
    level = typer.style(f"{line.level.value:<7}", fg=COLORS.get(line.level.value))
    where = " ".join(filter(None, (line.job_id, "" if line.trial is None else f"trial {line.trial}")))
    told = f"{line.source}{f' [{where}]' if where else ''}: {line.message}"
    return f"{at} {level} {harmless(told)}"
