"""`flowml verify`: is a leaderboard true? Each row once more, from what was written of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import typer

from flowml.runner.verifying import verify
from flowml.storage.records import Agreement, Verdict
from flowml.storage.shown import harmless
from flowml.ui.cli.ending import EXPLAINED

WORDS = {
    Agreement.SAME: "same",
    Agreement.DIFFERENT: "DIFFERENT",
    Agreement.EXCUSED: "excused",
    Agreement.NOTHING: "no score",
}
COLOURS = {Agreement.DIFFERENT: typer.colors.RED, Agreement.EXCUSED: typer.colors.YELLOW}


def verify_study(folder: Path, data: Path | None, row: int | None, as_json: bool) -> None:
    verdicts = verify(folder, data, row, lambda verdict: _show(verdict, as_json))
    counts = Counter(verdict.agreement for verdict in verdicts)
    if as_json:
        typer.echo(json.dumps(summary(verdicts)))
    else:
        told = [f"{counts[agreement]} {word}" for agreement, word in WORDS.items() if counts[agreement]]
        typer.echo(f"{len(verdicts)} rows: {', '.join(told).lower()}.")
    if counts[Agreement.DIFFERENT]:
        raise typer.Exit(EXPLAINED)


def summary(verdicts: tuple[Verdict, ...]) -> dict[str, object]:
    """What `--json` prints."""
    counts = Counter(verdict.agreement.value for verdict in verdicts)
    return {
        "reproduced": not counts[Agreement.DIFFERENT],
        **{agreement.value: counts[agreement] for agreement in Agreement},
        "rows": [verdict.to_dict() for verdict in verdicts],
    }


def _show(verdict: Verdict, as_json: bool) -> None:
    gap = "" if verdict.gap is None else f"within {verdict.gap:.1g} over {verdict.folds} folds"
    line = f"{verdict.name:<32.32}  {WORDS[verdict.agreement]:<9}  {verdict.why or gap}".rstrip()
    typer.secho(harmless(line), fg=COLOURS.get(verdict.agreement), err=as_json)
