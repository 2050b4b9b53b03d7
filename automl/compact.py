"""Smaller files: a champion within a limit of size, and a compact variant beside it with what that costs.

Members go first, as long as their out-of-fold predictions show that they are hardly missed. Then fold models
go: of each member fewer stay. What that costs out-of-fold predictions cannot show, for they are themselves of
single fold models; the mean of several is usually a little better than each.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from flowml.automl.blend import Blend, notes_of, single, without
from flowml.automl.budget import export_seconds
from flowml.automl.card import card
from flowml.automl.champion import Champion
from flowml.automl.export import Exported, export
from flowml.automl.leaderboard import name_of
from flowml.automl.offers import GATE_S
from flowml.automl.onnx import metadata
from flowml.automl.prepared import Prepared
from flowml.automl.sizes import estimated_bytes, few, fitting, served_share
from flowml.storage.errors import ExportError
from flowml.storage.records import Compact, Task, TrialRecord

HARDLY = 0.01  # of what the champion learned, that a smaller one may lose to keep the limit
LITTLE = 0.03  # and to be the compact variant
WORTHWHILE = 0.6  # of the champion's file, that the compact variant has at most
SHARE = 0.25  # of the time left, for the compact variant
COMPACT = "model.compact.onnx"
UNMEASURED = (
    "Both scores are of single fold models, as this one is. The larger file takes the mean of several, which"
    " does better on new rows than its score says: expect to lose more than the scores differ by."
)
OWN = ("score", "members", "weights", "latency_ms", "rows_per_second", "size_bytes", "parity")


def within_limit(prepared: Prepared, work: Path, blend: Blend | None) -> Blend | None:
    """The blend without members that are hardly missed, until its file should be small enough."""
    limit = prepared.spec.max_size_bytes
    if blend is None or limit is None:
        return blend
    allowed, lightest = _allowed(prepared, blend, HARDLY), blend
    for lighter in _lighter(prepared, work, blend):
        if estimated_bytes(lightest.members) <= limit or _loss(prepared, lighter) > allowed:
            break
        lightest = lighter
    return lightest


def leaves_few(prepared: Prepared, blend: Blend) -> bool:
    """Whether the limit of size should leave so few fold models that those of all rows are better."""
    return few(folds_served(prepared, blend.members), len(prepared.folds.kept))


def folds_served(prepared: Prepared, members: Sequence[TrialRecord]) -> int:
    """Fold models of each of these members that the limit of size has room for, one at least."""
    return fitting(estimated_bytes(members), len(prepared.folds.kept), prepared.spec.max_size_bytes)


def share_served(prepared: Prepared, members: Sequence[TrialRecord]) -> float:
    """Of the fold models of these members, how much the champion's file will hold."""
    kept, folds = len(prepared.folds.kept), len(prepared.folds.pairs)
    return kept / folds * served_share(members, kept, prepared.spec.max_size_bytes)


def export_within_limit(prepared: Prepared, work: Path, blend: Blend, most: int, cores: int = 1) -> Exported:
    """With `most` fold models of each member, fewer where the limit of size wants it, one at least."""
    kept, limit = prepared.folds.kept, prepared.spec.max_size_bytes
    served = kept[-min(most, folds_served(prepared, blend.members)) :]
    exported = export(prepared, work, blend, served, cores)
    folds = exported.folds
    if limit is not None and len(exported.content) > limit and folds > 1:
        return export(prepared, work, blend, kept[-fitting(len(exported.content), folds, limit) :], cores)
    return exported


# --- the variant beside the champion ----------------------------------------------------------------------


@dataclass(frozen=True)
class Variant:
    """A compact model and its file, with what its card says otherwise than that of the champion."""

    content: bytes
    record: Compact
    score_std: float
    threshold: float | None
    notes: tuple[str, ...]


def variant(
    prepared: Prepared, work: Path, blend: Blend, whole: Exported, left_s: float, pace: float = 1.0
) -> Variant | None:
    """The lightest that loses little, of one fold model each; None without time, or with nothing to gain."""
    end = time.monotonic() + SHARE * left_s
    chosen = _lightest(prepared, work, blend, end)
    fold = _middling(blend, prepared.folds.kept)
    one_fold_s = sum(map(export_seconds, chosen.members)) / len(prepared.folds.pairs)
    if time.monotonic() + pace * (GATE_S + one_fold_s) > end:
        return None
    try:
        made = export(prepared, work, chosen, (fold,))
    except ExportError:
        return None
    if len(made.content) > WORTHWHILE * len(whole.content):
        return None
    record = Compact(
        score=chosen.score,
        loss=_loss(prepared, chosen) - _loss(prepared, blend),
        members=tuple(map(name_of, chosen.members)),
        weights=tuple(round(weight, 4) for weight in chosen.weights),
        fold=fold,
        latency_ms=made.speed.latency_ms,
        rows_per_second=made.speed.rows_per_second,
        size_bytes=len(made.content),
        parity=made.parity,
    )
    spread, notes = float(np.std(chosen.fold_scores)), list(notes_of(prepared, chosen))
    if whole.folds > 1:
        notes.append(UNMEASURED)
    return Variant(made.content, record, spread, chosen.threshold, tuple(notes))


def write_compact(champion: Champion, made: Variant, folder: Path) -> Champion:
    """Put the variant's file beside the champion's; the champion that knows of it."""
    record = made.record
    its_own = {name: getattr(record, name) for name in OWN}
    compared = (
        f"It scores {record.score:.6g} where {champion.name} scores {champion.score:.6g},"
        f" and takes {record.size_bytes / champion.size_bytes:.2%} of its room."
    )
    smaller = replace(
        champion,
        name=f"{champion.name}, compact",
        recipe=None,
        leaderboard=(),
        score_std=made.score_std,
        threshold=made.threshold,
        notes=(compared, *made.notes),
        **its_own,
    )
    about = {"card": card(smaller, champion.card["training"]), "parity": record.parity, "score": record.score}
    (folder / COMPACT).write_bytes(metadata.add(made.content, about))
    known = replace(champion, compact=record)
    (folder / "champion.json").write_text(json.dumps(known.to_dict()))
    return known


def _lightest(prepared: Prepared, work: Path, blend: Blend, end: float) -> Blend:
    """With fewer members, or one alone; the blend itself if each is missed."""
    allowed, best = _allowed(prepared, blend, LITTLE), blend
    alone = (single(prepared, work, member) for member in blend.members)
    for each in (*_lighter(prepared, work, blend), *([] if blend.is_single else alone)):
        if _loss(prepared, each) <= allowed and estimated_bytes(each.members) < estimated_bytes(best.members):
            best = each
        if time.monotonic() > end:
            break
    return best


def _lighter(prepared: Prepared, work: Path, blend: Blend) -> Iterator[Blend]:
    """One member less each time: the one with the least weight for its size."""
    while not blend.is_single:
        worth = [w / estimated_bytes([m]) for m, w in zip(blend.members, blend.weights, strict=True)]
        blend = without(prepared, work, blend, blend.members[worth.index(min(worth))])
        yield blend


def _middling(blend: Blend, folds: Sequence[int]) -> int:
    """The fold whose score is nearest to the middle of all: no luck and no misfortune."""
    middle = float(np.median([blend.fold_scores[fold] for fold in folds]))
    return min(folds, key=lambda fold: abs(blend.fold_scores[fold] - middle))


def _loss(prepared: Prepared, blend: Blend) -> float:
    return prepared.problem.measure.loss(blend.score)


def _allowed(prepared: Prepared, blend: Blend, share: float) -> float:
    """The loss that a lighter blend may have: a share more of what was learned beyond a constant answer."""
    loss = _loss(prepared, blend)
    return loss + share * max(0.0, _loss_of_nothing(prepared) - loss)


def _loss_of_nothing(prepared: Prepared) -> float:
    problem, (y, weights) = prepared.problem, prepared.checked
    if problem.task is Task.REGRESSION:
        constant = np.full(len(y), np.average(y, weights=weights))
    else:
        shares = np.bincount(y, weights=weights, minlength=len(problem.classes)) / len(y)
        constant = np.tile(shares, (len(y), 1))
    return problem.measure.loss(problem.measure.score(y, constant, weights))
