"""What the boosting libraries share: how long a fit goes on, and how it is made to fit a shorter time."""

from __future__ import annotations

from flowml.automl.shape import Shape
from flowml.storage.records import Json

MOST_ROUNDS = 5000


def default_rate(shape: Shape) -> float:
    """Small steps where they are cheap."""
    return 0.03 if shape.train_rows * shape.columns * shape.outputs < 1_000_000 else 0.05


def patience(params: Json) -> int:
    """Rounds without a gain; slow learners get more of them."""
    return int(params.get("patience") or min(300, max(20, round(4 / float(params["learning_rate"])))))


def likely_rounds(params: Json) -> float:
    """How many rounds a fit with early stopping takes on most tables."""
    return min(float(params["rounds"]), 12 / float(params["learning_rate"]) + patience(params))


def lighter(params: Json, share: float) -> Json:
    """The same learner in a share of its time: fewer and larger steps."""
    rate = min(0.3, float(params["learning_rate"]) / float(share))
    return {**params, "learning_rate": rate, "rounds": max(30, int(float(params["rounds"]) * share))}
