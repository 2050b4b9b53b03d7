"""From rows to what the API answers."""

from __future__ import annotations

import time
from typing import Any

from flowml.runner.serving import Serving
from flowml.ui.api.bodies.results import Prediction, PredictionWarning, Row


def predict(serving: Serving, model_id: str, rows: Row | list[Row]) -> Prediction:
    """One row is answered with single values, a list of rows with lists."""
    started = time.perf_counter()
    one = isinstance(rows, dict)
    found = serving.predict(model_id, [rows] if isinstance(rows, dict) else rows)
    values = list(found.values)
    shares = _by_class(found.classes, found.probabilities)
    return Prediction(
        prediction=values[0] if one else values,
        probability=shares[0] if one and shares else shares,
        execution_time=time.perf_counter() - started,
        warnings=[
            PredictionWarning(row=None if one else each.row, column=each.column, message=each.message)
            for each in found.warnings
        ],
        model_id=model_id,
    )


def _by_class(classes: Any, probabilities: Any) -> list[dict[str, float]] | None:
    """Per row the probability of each class; None for regression."""
    if probabilities is None:
        return None
    return [dict(zip(map(str, classes), map(float, row), strict=True)) for row in probabilities]
