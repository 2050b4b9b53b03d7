"""`flowml verify`: finds the table of a study that lies in a folder, and evaluates its rows again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from flowml.runner.local import LIMIT_BYTES
from flowml.runner.papers import STUDY, read_study, source_of
from flowml.runner.verification import Verification
from flowml.storage.errors import DataError, NotFound
from flowml.storage.intake import convert
from flowml.storage.records import StudyRecord, TrialRecord, Verdict


def verify(
    folder: Path,
    data: Path | None = None,
    row: int | None = None,
    told: Callable[[Verdict], None] = lambda _verdict: None,
) -> tuple[Verdict, ...]:
    """What became of the trial `row`, or of every row and the champion.

    `data` is the file that was trained on, if it does not lie where it did. Raises what keeps all rows from
    being compared; the children that evaluate end with this call.
    """
    study = read_study(folder)
    rows = study.trials if row is None else (_row(study, row),)
    file = _find(study, folder, data)
    with tempfile.TemporaryDirectory(prefix="flowml-") as place:
        table = Path(place) / "table.parquet"
        convert(file, file.name, table, LIMIT_BYTES)
        return Verification(table, study, Path(place) / "study", told).run(rows)


def _row(study: StudyRecord, number: int) -> TrialRecord:
    found = next((trial for trial in study.trials if trial.number == number), None)
    if found is None:
        known = f"Its trials are 0 to {max(trial.number for trial in study.trials)}."
        raise NotFound(f"The study has no trial {number}.", known)
    return found


def _find(study: StudyRecord, folder: Path, data: Path | None) -> Path:
    """The very file that was trained on; its content decides, not its name."""
    wanted = study.source
    places = [data] if data else [Path(wanted.path), folder / Path(wanted.path).name]
    there = [place for place in places if place.is_file()]
    if not there:
        shown = data or Path(wanted.path)
        raise NotFound(f"There is no file {shown}.", "Name the table that was trained on with --data.")
    for place in there:
        if place.stat().st_size == wanted.size and source_of(place).sha256 == wanted.sha256:
            return place
    raise DataError(
        f"{there[0].name} is not the table that was trained on: its content has another hash.",
        f"Give the file whose SHA-256 begins with {wanted.sha256[:12]}, see {STUDY}.",
    )
