"""A decision tree on one column: the best that simple thresholds on it can predict.

Bins of equal numbers of rows cut a column where it is convenient; a tree cuts where the target changes.
"""

from __future__ import annotations

import numpy as np

from flowml.storage.coded import Floats

LEAVES = 32
LEAST_ROWS = 3  # on each side of a cut


def thresholds(values: Floats, targets: Floats, leaves: int = LEAVES) -> Floats:
    """Where to cut the values so that the targets in each part are most alike.

    `targets` has one column for a number to predict, or one of zeros and ones for each class.
    """
    order = np.argsort(values, kind="stable")
    values, targets = values[order], targets[order]
    sums = np.concatenate([np.zeros((1, targets.shape[1])), np.cumsum(targets, axis=0)])
    parts = [(0, len(values))]
    gains = [_best_cut(values, sums, *parts[0])]
    cuts: list[float] = []
    while len(parts) < leaves:
        best = max(range(len(parts)), key=lambda part: gains[part][0])
        gain, place = gains[best]
        if gain <= 0:
            break
        cuts.append(float((values[place - 1] + values[place]) / 2))
        first, last = parts[best]
        parts[best : best + 1] = [(first, place), (place, last)]
        gains[best : best + 1] = [_best_cut(values, sums, first, place), _best_cut(values, sums, place, last)]
    return np.sort(np.array(cuts))


def _best_cut(values: Floats, sums: Floats, first: int, last: int) -> tuple[float, int]:
    """How much a cut gains at most, and the first place of its right side; (0, first) where none gains."""
    places = np.arange(first + LEAST_ROWS, last - LEAST_ROWS + 1)
    places = places[values[places - 1] < values[places]] if len(places) else places
    if not len(places):
        return 0.0, first
    whole = sums[last] - sums[first]
    left = sums[places] - sums[first]
    right = whole - left
    score = (left * left).sum(1) / (places - first) + (right * right).sum(1) / (last - places)
    best = int(score.argmax())
    gain = float(score[best] - (whole * whole).sum() / (last - first))
    return (gain, int(places[best])) if gain > 1e-9 * max(1.0, abs(score[best])) else (0.0, first)
