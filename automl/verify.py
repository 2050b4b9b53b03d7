"""Whether a study can be done again: its rows, evaluated once more from what was written of them.

A row of the leaderboard is the same when each fold scores as it did, to nine digits. Where it is not, the
reason is looked for outside of the study: other versions of its libraries, or a GPU, whose sums differ from
one time to the next. A row without such an excuse is a fault.
"""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Sequence
from pathlib import Path

from flowml.automl.blend import Blend, blended
from flowml.automl.evaluate import Limits, again, evaluate
from flowml.automl.leaderboard import name_of
from flowml.automl.outcome import load_oof, trial_folder
from flowml.automl.prepared import Prepared
from flowml.automl.stack import Stack
from flowml.storage.errors import TrialError
from flowml.storage.records import Agreement, Recipe, TrialRecord, Verdict

CHAMPION = "The champion"
TOLERANCE = 1e-9  # of a score, relative where it is above 1
PATIENT_S = 1e6


def verify(prepared: Prepared, record: TrialRecord) -> Verdict:
    """Evaluate one row again in this process, with as many threads as it had."""
    if not record.fold_scores:
        return compare(record, record)
    found = evaluate(prepared, again(record), Limits(PATIENT_S, record.threads, record.device))
    return compare(record, found.record)


def compare(stored: TrialRecord, found: TrialRecord, elsewhere: str = "") -> Verdict:
    """What the second evaluation says of the first. `elsewhere`: how this machine differs from that one."""
    name, folds = name_of(stored), len(stored.fold_scores)
    if not folds:
        why = stored.cause or "It has no scores."
        return Verdict(stored.number, name, Agreement.NOTHING, why=why)
    gap: float | None = _gap(stored.fold_scores, found.fold_scores)
    if len(found.fold_scores) < folds:
        what, gap = found.cause or f"It ended after {len(found.fold_scores)} folds.", None
    elif found.folds_id != stored.folds_id:
        what, gap = "Its rows are split in another way.", None
    elif _alike(stored.fold_scores, found.fold_scores):
        return Verdict(stored.number, name, Agreement.SAME, folds, gap)
    else:
        what = f"The score of a fold differs by {gap:.3g}."
    reason = excuse(stored, elsewhere)
    agreement = Agreement.EXCUSED if reason else Agreement.DIFFERENT
    return Verdict(stored.number, name, agreement, folds, gap, f"{what} {reason}".strip())


def excuse(stored: TrialRecord, elsewhere: str = "") -> str:
    """Why a row may come out differently on this machine; empty if it should not."""
    changed = [
        f"{name} was {version} and is {now}"
        for name, version in sorted(stored.versions.items())
        if (now := _installed(name)) != version
    ]
    if changed:
        return f"Other versions: {', '.join(changed)}."
    return elsewhere if stored.device == "cpu" else f"It ran on {stored.device}, whose sums vary."


def blend_again(prepared: Prepared, work: Path, recipe: Recipe, records: Sequence[TrialRecord]) -> Blend:
    """The champion's predictions, from those that its trials gave when they were evaluated again."""
    members = {record.number: record for record in records}
    parts = [load_oof(trial_folder(work, number)) for number in recipe.trials]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or not members.keys() >= set(recipe.trials):
        raise TrialError("Not every trial that it is made of could be evaluated again.", "See their rows.")
    chosen = tuple(members[number] for number in recipe.trials)
    stack = Stack.from_dict(recipe.stack) if recipe.stack else None
    return blended(prepared, chosen, recipe.weights, known, stack)


def compare_champion(recipe: Recipe, score: float, fold_scores: Sequence[float], why: str = "") -> Verdict:
    """`why`: the excuse of a trial that it is made of."""
    before, now = (recipe.score, *recipe.fold_scores), (score, *fold_scores)
    gap, folds = _gap(before, now), len(recipe.fold_scores)
    if len(before) == len(now) and _alike(before, now):
        return Verdict(None, CHAMPION, Agreement.SAME, folds, gap)
    agreement = Agreement.EXCUSED if why else Agreement.DIFFERENT
    what = f"Its score was {recipe.score:.9g} and is {score:.9g}."
    return Verdict(None, CHAMPION, agreement, folds, gap, f"{what} {why}".strip())


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _gap(before: Sequence[float], now: Sequence[float]) -> float:
    return max((abs(a - b) for a, b in zip(before, now, strict=False)), default=0.0)


def _alike(before: Sequence[float], now: Sequence[float]) -> bool:
    """NaN, of a metric that is not defined on a fold, is like NaN."""
    return all(
        math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE) or (math.isnan(a) and math.isnan(b))
        for a, b in zip(before, now, strict=False)
    )
