"""What the boosting libraries share: how long a fit goes on, and how it is made to fit a shorter time."""

from __future__ import annotations

from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

MOST_ROUNDS = 5000


def default_rate(shape: Shape) -> float:
    """Small steps where they are cheap."""
    return 0.03 if shape.train_rows * shape.columns * shape.outputs < 50_000 else 0.05


def default_columns(shape: Shape) -> float:
    """The share of columns that a tree may look at: about 200 are enough."""
    return float(round(min(0.8, max(0.05, 200 / max(shape.columns, 1))), 3))


def patience(params: Json) -> int:
    """Rounds without a gain; slow learners get more of them."""
    return int(params.get("patience") or min(300, max(20, round(4 / float(params["learning_rate"])))))


def likely_rounds(params: Json, task: Task, steps: dict[Task, float]) -> float:
    """Rounds of a fit with early stopping. `steps`: what rounds times the learning rate mostly come to."""
    expected = steps[task] / float(params["learning_rate"]) + patience(params)
    return min(float(params["rounds"]), expected)


def lighter(params: Json, share: float) -> Json:
    """The same learner in a share of its time: fewer and larger steps."""
    rate = min(0.3, float(params["learning_rate"]) / float(share))
    return {**params, "learning_rate": rate, "rounds": max(30, int(float(params["rounds"]) * share))}
