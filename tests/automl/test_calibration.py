from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flowml.automl.calibration import applied, temperature_step
from flowml.automl.metrics import METRICS
from flowml.automl.onnx.steps import Step
from flowml.storage.records import Task

ROWS = 2000


def predictions(classes: int, sureness: float) -> tuple[Any, Any]:
    """True probabilities sharpened by a factor, and classes drawn from the true ones."""
    generator = np.random.default_rng(0)
    raw = generator.normal(size=(ROWS, classes))
    true = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    y = (true.cumsum(axis=1) < generator.random((ROWS, 1))).sum(axis=1)
    stated = true**sureness
    return y, stated / stated.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("task", "classes"), [(Task.BINARY, 2), (Task.MULTICLASS, 4)])
@pytest.mark.parametrize("sureness", [2.0, 0.5])
def test_a_temperature_corrects_sureness(task: Task, classes: int, sureness: float) -> None:
    y, stated = predictions(classes, sureness)
    step = temperature_step(task, "log_loss", stated, y, None, 0)
    assert step is not None
    assert step.params["temperature"] == pytest.approx(sureness, rel=0.15)
    corrected = applied(task, stated, step)
    assert corrected.shape == stated.shape
    assert corrected.sum(axis=1) == pytest.approx(1.0)
    score = METRICS["log_loss"].score
    assert score(y, corrected, None) < score(y, stated, None)


def test_what_is_right_already_is_left_alone() -> None:
    y, stated = predictions(3, 1.0)
    assert temperature_step(Task.MULTICLASS, "log_loss", stated, y, None, 0) is None


def test_metrics_that_only_rank_need_no_temperature() -> None:
    y, stated = predictions(2, 3.0)
    assert temperature_step(Task.BINARY, "roc_auc", stated, y, None, 0) is None


def test_steps_of_a_regression_see_one_column() -> None:
    clipped = applied(Task.REGRESSION, np.array([-1.0, 2.0, 9.0]), Step("limits", {"low": 0.0, "high": 5.0}))
    assert clipped.tolist() == [0.0, 2.0, 5.0]
