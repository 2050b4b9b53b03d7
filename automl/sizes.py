"""How large the file of a champion will be, and how many fold models a limit of size has room for."""

from __future__ import annotations

from collections.abc import Sequence

from flowml.automl.algorithms import ALGORITHMS
from flowml.storage.records import TrialRecord

# Bytes in the file for each byte that a fitted model takes in memory of its library.
BYTES_PER_BYTE = {"lightgbm": 0.32, "xgboost": 0.25, "catboost": 0.5, "sklearn_trees": 0.65, "linear": 5.0}
BASE_BYTES = 50_000


def estimated_bytes(members: Sequence[TrialRecord]) -> float:
    """Of a file with all fold models of these members."""
    rows = [ALGORITHMS.get(member.algorithm) for member in members]
    ratios = [BYTES_PER_BYTE.get(row.format if row else "", 1.0) for row in rows]
    return BASE_BYTES + sum(m.size_bytes * ratio for m, ratio in zip(members, ratios, strict=True))


def fitting(size: float, folds: int, limit: int | None) -> int:
    """Fold models of each member that a limit has room for, where `folds` take `size` bytes; one at least."""
    return folds if limit is None else max(1, min(folds, int(folds * limit / size)))


def served_share(members: Sequence[TrialRecord], folds: int, limit: int | None) -> float:
    """Of the fold models of these members, how much their file will hold within the limit."""
    wanted = fitting(estimated_bytes(members), folds, limit)
    return 1 / folds if few(wanted, folds) else wanted / folds


def few(wanted: int, folds: int) -> bool:
    """Whether so many fold models are so few that one of all rows is better."""
    return folds == 1 or 2 * wanted < folds
