"""How good a model is, from its out-of-fold predictions."""

from __future__ import annotations

from flowml.storage.records import Model
from flowml.ui.charts.figure import Chart


def quality(_model: Model) -> tuple[Chart, ...]:
    return ()
