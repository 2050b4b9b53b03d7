"""From rows to what the API answers."""

from __future__ import annotations

import time

from flowml.runner.serving import Serving
from flowml.ui.api.bodies.results import Prediction, PredictionWarning, Row


def predict(serving: Serving, model_id: str, rows: Row | list[Row], per_row: bool = False) -> Prediction:
    """One row is answered with single values, a list of rows with lists; `per_row`: and warnings of each."""
    started = time.perf_counter()
    predictor = serving.predictor(model_id)
    one = isinstance(rows, dict)
    found = predictor.predict_one(rows) if isinstance(rows, dict) else predictor.predict(rows)
    values = found.values.tolist()
    shares = None if found.probabilities is None else found.probabilities.tolist()
    by_class = shares and [dict(zip(found.class_names, row, strict=True)) for row in shares]
    return Prediction(
        prediction=values[0] if one else values,
        probability=by_class[0] if one and by_class else by_class,
        execution_time=time.perf_counter() - started,
        warnings=[
            PredictionWarning(
                row=None if one else each.row, column=each.column, message=each.message, rows=each.rows
            )
            for each in found.warnings
        ],
        row_warnings=found.warnings.per_row(len(found)) if per_row and not one else None,
        model_id=model_id,
    )
