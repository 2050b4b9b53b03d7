"""All that the diagnostics of a model give to draw, in the order in which they are read."""

from __future__ import annotations

from flowml.storage.records import Json
from flowml.ui.charts import curves, residuals
from flowml.ui.charts.confusion import confusion
from flowml.ui.charts.figure import Chart


def quality(diagnostics: Json, target: str, *, shares: bool = False) -> tuple[Chart, ...]:
    """Empty where nothing was measured."""
    if "scatter" in diagnostics:
        return (
            residuals.actual_and_predicted(diagnostics["scatter"], target),
            residuals.errors(diagnostics["histogram"], diagnostics["residuals"], target),
        )
    if "confusion" not in diagnostics:
        return ()
    told = diagnostics.get("curves", [])
    lines = (curves.roc(told), curves.precision_recall(told), curves.calibration(told)) if told else ()
    return (confusion(diagnostics["confusion"], target, shares=shares), *lines)
