"""How the champion does in parts of the table, out-of-fold: by column, and where it errs most.

The error of a row is 1 where its class was answered wrongly, else 0; for a regression it is the size of the
residual. A part of the table counts as worse than the rest where the difference of their mean errors is
SURE standard errors or more: few rows prove little.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from flowml.automl.grouping import Grouping
from flowml.automl.metrics import METRICS, Array
from flowml.automl.threshold import decided
from flowml.storage.records import Json, Task

MOST_PAIRED = 6  # columns that are looked at two by two
MOST_WORST = 10
FEWEST_ROWS = 20  # of a part that is judged
SURE = 3.0


@dataclass(frozen=True)
class Judged:
    """Out-of-fold predictions of some rows beside what was true: y is codes or values."""

    task: Task
    metric: str
    y: Array
    prediction: Array  # (rows, classes) or (rows,)
    threshold: float | None = None

    @property
    def answers(self) -> Array:
        """What the metric looks at."""
        return self.prediction if self.threshold is None else decided(self.prediction, self.threshold)

    @property
    def residuals(self) -> Array:
        """Actual minus predicted, of a regression."""
        found: Array = self.y - self.prediction.ravel()
        return found

    @property
    def errors(self) -> Array:
        if self.task is Task.REGRESSION:
            return np.asarray(np.abs(self.residuals))
        return np.asarray((self.answers.argmax(axis=1) != self.y).astype(np.float64))

    def part(self, chosen: Array) -> Judged:
        return Judged(self.task, self.metric, self.y[chosen], self.prediction[chosen], self.threshold)


# --- by column --------------------------------------------------------------------------------------------


def measured(judged: Judged) -> Json:
    """{rows, error, spread, score} and more by the task; what cannot be told of so few rows is None.

    spread: standard error of the mean error. Two classes: actual and predicted (the shares of the second
    class), probability (its mean), hit_rate, false_alarms, precision. Regression: actual, predicted (means)
    and residual (the mean of actual minus predicted).
    """
    errors = judged.errors
    told: Json = {
        "rows": len(errors),
        "error": float(errors.mean()),
        "spread": float(errors.std() / math.sqrt(len(errors))),
        "score": _score(judged),
    }
    if judged.task is Task.REGRESSION:
        residual = float(judged.residuals.mean())
        return told | {
            "actual": float(judged.y.mean()),
            "predicted": float(judged.prediction.mean()),
            "residual": residual,
        }
    return told | _rates(judged) if judged.task is Task.BINARY else told


def _score(judged: Judged) -> float | None:
    """None where it is not defined, as the area under the ROC curve of one class alone."""
    with np.errstate(all="ignore"):
        try:
            score = METRICS[judged.metric].score(judged.y, judged.answers, None)
        except (ValueError, ZeroDivisionError, IndexError):
            return None
    return float(score) if math.isfinite(score) else None


def _rates(judged: Judged) -> Json:
    second, said = judged.y == 1, judged.answers.argmax(axis=1) == 1
    return {
        "actual": float(second.mean()),
        "predicted": float(said.mean()),
        "probability": float(judged.prediction[:, 1].mean()),
        "hit_rate": _share(said, second),
        "false_alarms": _share(said, ~second),
        "precision": _share(second, said),
    }


def _share(of: Array, among: Array) -> float | None:
    return float(of[among].mean()) if among.any() else None


def by_group(judged: Judged, groups: Grouping) -> list[Json]:
    """`measured` of each group that has rows, with its label."""
    found = []
    for code, label in enumerate(groups.labels):
        chosen = groups.codes == code
        if chosen.any():
            found.append({"label": label, **measured(judged.part(chosen))})
    return found


# --- where it errs most -----------------------------------------------------------------------------------


def worst(judged: Judged, groupings: Sequence[Grouping], deadline: float = math.inf) -> list[Json]:
    """[{where [{column, label}], rows, error, spread, rest, surety}] of one or two columns, surest first.

    rest: the mean error of all other rows; surety: by how many standard errors the two differ. A part of two
    columns is told only where it errs more than both parts that it lies in.
    """
    errors = judged.errors
    found, single = list[tuple[float, Json]](), dict[tuple[int, int], float]()
    for place, groups in enumerate(groupings):
        for code in range(len(groups.labels)):
            told = _compared(errors, groups.codes == code)
            if told is not None:
                single[place, code] = told["error"]
                found.append((told["surety"], told | {"where": [_named(groups, code)]}))
    for a, b in combinations(range(min(MOST_PAIRED, len(groupings))), 2):
        if time.monotonic() > deadline:
            break
        found += _pairs(errors, (groupings[a], groupings[b]), (a, b), single)
    sure = [pair for pair in found if pair[0] >= SURE]
    sure.sort(key=lambda pair: -pair[0])
    return [told for _, told in sure[:MOST_WORST]]


def _pairs(
    errors: Array,
    both: tuple[Grouping, Grouping],
    places: tuple[int, int],
    single: dict[tuple[int, int], float],
) -> list[tuple[float, Json]]:
    found = []
    for first in range(len(both[0].labels)):
        inside = both[0].codes == first
        for second in range(len(both[1].labels)):
            told = _compared(errors, inside & (both[1].codes == second))
            parents = [
                single.get((place, code), -1.0) for place, code in zip(places, (first, second), strict=True)
            ]
            if told is not None and told["error"] > max(parents):
                where = [_named(both[0], first), _named(both[1], second)]
                found.append((told["surety"], told | {"where": where}))
    return found


def _compared(errors: Array, inside: Array) -> Json | None:
    rows = int(inside.sum())
    if rows < FEWEST_ROWS or len(errors) - rows < FEWEST_ROWS:
        return None
    part, rest = errors[inside], errors[~inside]
    spread = math.sqrt(part.var() / rows + rest.var() / len(rest))
    difference = float(part.mean() - rest.mean())
    return {
        "rows": rows,
        "error": float(part.mean()),
        "spread": float(part.std() / math.sqrt(rows)),
        "rest": float(rest.mean()),
        "surety": difference / spread if spread else 0.0,
    }


def _named(groups: Grouping, code: int) -> Json:
    return {"column": groups.column, "label": groups.labels[code]}
