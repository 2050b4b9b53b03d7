"""Which blends are offered as the champion, best first, and how long each would take to export."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from flowml.automl.blend import Blend, single, without
from flowml.automl.budget import export_seconds
from flowml.automl.prepared import Prepared
from flowml.storage.records import TrialRecord

SINGLES = 5  # trials that are tried one after another when an ensemble cannot be exported
FEWEST_MIXED = 2  # fold models of each member: with one alone, an ensemble of fewer members does better
GATE_S = 0.1  # of an export whatever its size: the parity gate, the speed of the model
SLOWEST, FASTEST = 20.0, 0.8  # paces that are believed
UNSURE_S = 0.5  # of an export that tell nothing: what is short is mostly chance


def expected_s(members: Sequence[TrialRecord], pace: float = 1.0, share: float = 1.0) -> float:
    """Seconds that the export of a blend of these trials will take; `share`: of their fold models."""
    return pace * (GATE_S + share * sum(map(export_seconds, members)))


def folds_in_time(members: Sequence[TrialRecord], seconds: float, pace: float, folds: int, most: int) -> int:
    """Fold models of each member, at most `most` of all `folds`, that can be exported; 0: not even one."""
    each_s = expected_s(members, pace, 1 / folds) - expected_s((), pace)
    return max(0, min(most, int((seconds - expected_s((), pace)) / each_s)))


def pace_of(
    members: Sequence[TrialRecord], measured_s: float, share: float = 1.0, known: float = 1.0
) -> float:
    """How much longer an export took than on an ordinary core: a machine may be slow, or busy.

    `known` is what was believed before, which a short export changes little.
    """
    expected = expected_s(members, share=share) + UNSURE_S
    return min(SLOWEST, max(FASTEST, (measured_s + UNSURE_S * known) / expected))


def offers(
    prepared: Prepared,
    work: Path,
    mixed: Blend | None,
    best_first: Sequence[TrialRecord],
    affordable: Callable[[Sequence[TrialRecord], int], bool],
) -> Iterator[Blend]:
    """Blends in the order in which they should be the champion, each next one lighter or worse.

    `affordable`: whether that many fold models of each of these can be exported. What is not affordable is
    passed over, until nothing else is left: then the lightest good trial is tried. A blend that lost members
    to become affordable must still beat the best affordable trial alone.
    """
    loss = prepared.problem.measure.loss
    scores = (r.score for r in best_first if r.score is not None and affordable((r,), 1))
    alone = loss(score) if (score := next(scores, None)) is not None else math.inf
    whole = mixed
    while mixed is not None and not mixed.is_single:
        if affordable(mixed.members, FEWEST_MIXED) and (mixed is whole or loss(mixed.score) < alone):
            yield mixed
        mixed = without(prepared, work, mixed, _least_worth(mixed))
    tried = 0
    for record in best_first:
        if tried < SINGLES and affordable((record,), 1):
            tried += 1
            yield single(prepared, work, record)
    for record in _last_resorts(best_first):
        yield single(prepared, work, record)


def _least_worth(blend: Blend) -> TrialRecord:
    """The member with the least weight for its size."""
    worth = [w / (m.size_bytes + 2**16) for m, w in zip(blend.members, blend.weights, strict=True)]
    return blend.members[worth.index(min(worth))]


def _last_resorts(best_first: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The lightest of the better half, and the baseline."""
    real = [record for record in best_first if record.algorithm != "dummy"]
    lightest = sorted(real[: (len(real) + 1) // 2], key=export_seconds)[:1]
    return [*lightest, *(record for record in best_first if record.algorithm == "dummy")]
