"""How much two columns have to do with each other, and what one column alone tells of a target.

In all measures 0 is nothing and 1 is everything. What is predicted is always judged on rows that were not
looked at, so that a column of many values does not seem to know more than it does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flowml.storage.coded import MISSING, Coded, Codes, Floats

FOLDS = 5
PRIOR = 3.0  # rows that the overall share counts for in each code
KINDS = 60  # for a table of two columns of words; rarer ones together
COARSE = 10  # bins of a number for mutual information


# --- two columns ------------------------------------------------------------------------------------------


def measure(a: Coded, b: Coded) -> tuple[str, float]:
    """The measure that fits the two kinds, and its value."""
    if a.numbers is not None and b.numbers is not None:
        return "spearman", spearman(a.numbers, b.numbers)
    if a.numbers is not None:
        return "correlation_ratio", correlation_ratio(b.codes, a.numbers)
    if b.numbers is not None:
        return "correlation_ratio", correlation_ratio(a.codes, b.numbers)
    return "cramers_v", cramers_v(a.codes, b.codes)


def spearman(a: Floats, b: Floats) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    return pearson(ranks(a[both]), ranks(b[both]))


def pearson(a: Floats, b: Floats) -> float:
    if len(a) < 3:
        return 0.0
    x, y = a - a.mean(), b - b.mean()
    size = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float(np.clip((x * y).sum() / size, -1.0, 1.0)) if size > 0 else 0.0


def ranks(values: Floats) -> Floats:
    """Ranks from 0, equal values with their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle: Floats = ends - (counts + 1) / 2
    return middle[place]


def correlation_ratio(codes: Codes, numbers: Floats) -> float:
    """The share of the spread of ranks that lies between the kinds, as a root, less what chance gives."""
    both = (codes != MISSING) & np.isfinite(numbers)
    kinds, values = codes[both], ranks(numbers[both])
    rows = len(values)
    if rows < 3:
        return 0.0
    counts = np.bincount(kinds)
    used = counts > 0
    if used.sum() < 2 or used.sum() >= rows:
        return 0.0
    means = np.bincount(kinds, values)[used] / counts[used]
    total = float(((values - values.mean()) ** 2).sum())
    between = float((counts[used] * (means - values.mean()) ** 2).sum())
    if total <= 0:
        return 0.0
    within = (total - between) / (rows - used.sum())
    return float(np.sqrt(max(0.0, 1 - within / (total / (rows - 1)))))


def cramers_v(a: Codes, b: Codes) -> float:
    """Corrected for what chance gives, after Bergsma."""
    both = (a != MISSING) & (b != MISSING)
    table = crosstab(_frequent(a[both]), _frequent(b[both]))
    rows = table.sum()
    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    r, k = table.shape
    if rows < 3 or r < 2 or k < 2:
        return 0.0
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / rows
    phi = float(((table - expected) ** 2 / expected).sum() / rows)
    phi = max(0.0, phi - (r - 1) * (k - 1) / (rows - 1))
    width = min(r - (r - 1) ** 2 / (rows - 1), k - (k - 1) ** 2 / (rows - 1)) - 1
    return float(np.sqrt(min(1.0, phi / width))) if width > 0 else 0.0


def crosstab(a: Codes, b: Codes) -> Floats:
    """How often each pair of codes occurs."""
    wide = int(b.max(initial=0)) + 1
    tall = int(a.max(initial=0)) + 1
    counts: Floats = np.bincount(a * wide + b, minlength=tall * wide).reshape(tall, wide).astype(float)
    return counts


def _frequent(codes: Codes) -> Codes:
    """Codes of words stand in the order of their frequency, so the rare ones are the large ones."""
    return np.minimum(codes, KINDS)


def mutual_information(column: Coded, target: Codes) -> float:
    """As a share of the target's entropy; a missing value is one too. Corrected after Miller and Madow."""
    table = crosstab(_coarse(column), target)
    rows = table.sum()
    if rows < 2:
        return 0.0
    entropies = [_entropy(part / rows) for part in (table.sum(1), table.sum(0), table.ravel())]
    used = [int((part > 0).sum()) for part in (table.sum(1), table.sum(0), table.ravel())]
    gained = entropies[0] + entropies[1] - entropies[2] - (used[2] - used[0] - used[1] + 1) / (2 * rows)
    return float(np.clip(gained / entropies[1], 0.0, 1.0)) if entropies[1] > 0 else 0.0


def _coarse(column: Coded) -> Codes:
    if column.numbers is None:
        return _frequent(column.codes)
    steps = -(-(column.size - 1) // COARSE) or 1
    coarse: Codes = np.where(column.codes == MISSING, 0, 1 + (column.codes - 1) // steps)
    return coarse


def _entropy(shares: Floats) -> float:
    some = shares[shares > 0]
    return float(-(some * np.log(some)).sum())


# --- one column and a target ------------------------------------------------------------------------------


def folds_of(rows: int, seed: int = 0) -> Codes:
    folds: Codes = np.random.default_rng(seed).permutation(rows) % FOLDS
    return folds


def out_of_fold_shares(codes: Codes, classes: Codes, count: int, folds: Codes) -> Floats:
    """For each row the share of each class among the other folds' rows of its code."""
    size = int(codes.max(initial=0)) + 1
    place = (folds * size + codes) * count + classes
    counts = np.bincount(place, minlength=FOLDS * size * count).reshape(FOLDS, size, count).astype(float)
    others = counts.sum(0, keepdims=True) - counts
    overall = others.sum(1, keepdims=True)
    prior = overall / np.maximum(overall.sum(2, keepdims=True), 1)
    shares = (others + PRIOR * prior) / (others.sum(2, keepdims=True) + PRIOR)
    found: Floats = shares[folds, codes]
    return found


def out_of_fold_means(codes: Codes, values: Floats, folds: Codes) -> Floats:
    size = int(codes.max(initial=0)) + 1
    place = folds * size + codes
    sums = np.bincount(place, values, FOLDS * size).reshape(FOLDS, size)
    counts = np.bincount(place, minlength=FOLDS * size).reshape(FOLDS, size)
    other_sums, other_counts = sums.sum(0) - sums, counts.sum(0) - counts
    prior = other_sums.sum(1, keepdims=True) / np.maximum(other_counts.sum(1, keepdims=True), 1)
    means = (other_sums + PRIOR * prior) / (other_counts + PRIOR)
    found: Floats = means[folds, codes]
    return found


def auc(scores: Floats, positive: npt.NDArray[np.bool_]) -> float:
    """The chance that a positive row scores higher than a negative one; equal scores count half."""
    hits = int(positive.sum())
    misses = len(positive) - hits
    if not hits or not misses:
        return 0.5
    return float((ranks(scores)[positive].sum() - hits * (hits - 1) / 2) / (hits * misses))


def explained(truth: Floats, guess: Floats) -> float:
    """The share of the spread that a guess explains, at least 0."""
    total = float(((truth - truth.mean()) ** 2).sum())
    return max(0.0, 1 - float(((truth - guess) ** 2).sum()) / total) if total > 0 else 0.0


def saved_errors(shares: Floats, classes: Codes) -> float:
    """The share of the errors of always guessing the most frequent class that a column saves."""
    usual = 1 - float(np.bincount(classes).max()) / max(1, len(classes))
    wrong = float((shares.argmax(1) != classes).mean()) if len(classes) else 0.0
    return max(0.0, 1 - wrong / usual) if usual > 0 else 0.0
