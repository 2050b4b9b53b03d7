"""All that the diagnostics of a model give to draw, in the order in which they are read."""

from __future__ import annotations

from flowml.storage.records import Json
from flowml.ui.charts import confused, curves, gains, residuals
from flowml.ui.charts.confusion import confusion
from flowml.ui.charts.figure import Chart


def quality(
    diagnostics: Json, target: str, *, shares: bool = False, tangled: bool = False
) -> tuple[Chart, ...]:
    """Empty where nothing was measured. `shares`: of each actual class, in place of rows; `tangled`: the
    matrix shows the classes that are confused most, in place of the most frequent ones.
    """
    if "scatter" in diagnostics:
        return (
            residuals.actual_and_predicted(diagnostics["scatter"], target),
            residuals.errors(diagnostics["histogram"], diagnostics["residuals"], target),
            residuals.by_prediction(diagnostics["scatter"], target),
        )
    if "confusion" not in diagnostics:
        return ()
    matrix = diagnostics["tangled"] if tangled else diagnostics["confusion"]
    found = [confusion(matrix, target, shares=shares, tangled=tangled)]
    if len(matrix["labels"]) > 2 and (pairs := confused.pairs(diagnostics.get("confused", ()))):
        found.append(pairs)
    told = diagnostics.get("curves", [])
    if told:
        found += [curves.roc(told), curves.precision_recall(told), curves.calibration(told)]
    decided = [curve for curve in told if "decisions" in curve]
    if decided:
        found += [gains.gain(decided), gains.lift(decided)]
    return tuple(found)
