"""How far a figure may be from what other rows would give: intervals at 95 %."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

Z = 1.959964
# Of Student's distribution, by degrees of freedom from 1 on; beyond them Z is close.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
           2.131, 2.120, 2.110, 2.101, 2.093, 2.086)  # fmt: skip

Interval = tuple[float, float]


def of_share(hits: float, rows: float) -> Interval | None:
    """Wilson's, for `hits` of `rows`; None where there are no rows."""
    if rows <= 0:
        return None
    share, square = hits / rows, Z * Z / rows
    middle = (share + square / 2) / (1 + square)
    half = Z / (1 + square) * math.sqrt(share * (1 - share) / rows + square / (4 * rows))
    return max(0.0, middle - half), min(1.0, middle + half)


def of_folds(scores: Sequence[float]) -> Interval | None:
    """Student's, for the mean over folds; None for fewer than two. Folds share rows, so it is a guide."""
    known = [score for score in scores if math.isfinite(score)]
    if len(known) < 2:
        return None
    degrees = len(known) - 1
    reach = STUDENT[degrees - 1] if degrees <= len(STUDENT) else Z
    half = reach * stdev(known) / math.sqrt(len(known))
    return fmean(known) - half, fmean(known) + half


def of_area(area: float, positives: int, negatives: int) -> Interval | None:
    """Hanley and McNeil's, for the area under a ROC curve; None where a class has no row."""
    if positives < 1 or negatives < 1:
        return None
    both, other = area / (2 - area), 2 * area * area / (1 + area)
    spread = area * (1 - area) + (positives - 1) * (both - area**2) + (negatives - 1) * (other - area**2)
    half = Z * math.sqrt(max(0.0, spread) / (positives * negatives))
    return max(0.0, area - half), min(1.0, area + half)


def of_mean(mean: float, std: float, count: int) -> Interval | None:
    """For the mean of many values that spread by `std`."""
    half = Z * std / math.sqrt(count) if count else 0.0
    return (mean - half, mean + half) if count else None
