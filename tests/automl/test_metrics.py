"""Every row against scikit-learn's own function, plain and weighted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as reference

from flowml.automl.metrics import DEFAULT_METRIC, METRICS, metric_for
from flowml.storage.errors import SpecError
from flowml.storage.records import Task

GENERATOR = np.random.default_rng(7)
ROWS = 400


def classification(classes: int) -> tuple[Any, Any, Any]:
    y = GENERATOR.integers(0, classes, ROWS)
    raw = GENERATOR.random((ROWS, classes)).round(2) + np.eye(classes)[y] * 0.4 + 0.01  # rounded: has ties
    return y, raw / raw.sum(axis=1, keepdims=True), GENERATOR.random(ROWS)


def is_binary(prediction: Any) -> bool:
    return prediction.shape[1] == 2


def of_labels(score: Callable[..., float], **settings: Any) -> Callable[..., float]:
    return lambda y, p, w: score(y, p.argmax(axis=1), sample_weight=w, **settings)


def multiclass_mean(score: Callable[..., float]) -> Callable[..., float]:
    def mean(y: Any, p: Any, w: Any) -> float:
        if is_binary(p):
            return score(y, p[:, 1], sample_weight=w)
        return float(np.mean([score(y == k, p[:, k], sample_weight=w) for k in range(p.shape[1])]))

    return mean


EXPECTED: dict[str, Callable[..., float]] = {
    "roc_auc": multiclass_mean(reference.roc_auc_score),
    "average_precision": multiclass_mean(reference.average_precision_score),
    "log_loss": lambda y, p, w: reference.log_loss(y, p, sample_weight=w),
    "brier": lambda y, p, w: reference.brier_score_loss(
        y, p[:, 1] if p.shape[1] == 2 else p, sample_weight=w
    ),
    "accuracy": of_labels(reference.accuracy_score),
    "balanced_accuracy": of_labels(reference.balanced_accuracy_score),
    "f1": of_labels(reference.f1_score),
    "f1_macro": of_labels(reference.f1_score, average="macro"),
    "f1_weighted": of_labels(reference.f1_score, average="weighted"),
    "mcc": of_labels(reference.matthews_corrcoef),
    "rmse": lambda y, p, w: reference.root_mean_squared_error(y, p, sample_weight=w),
    "mae": lambda y, p, w: reference.mean_absolute_error(y, p, sample_weight=w),
    "median_ae": lambda y, p, w: reference.median_absolute_error(y, p, sample_weight=w),
    "mape": lambda y, p, w: reference.mean_absolute_percentage_error(y, p, sample_weight=w),
    "smape": lambda y, p, w: np.average(2 * abs(y - p) / (abs(y) + abs(p)), weights=w),
    "r2": lambda y, p, w: reference.r2_score(y, p, sample_weight=w),
    "poisson_deviance": lambda y, p, w: reference.mean_poisson_deviance(y, p, sample_weight=w),
}


def test_every_row_has_a_case() -> None:
    assert set(EXPECTED) == set(METRICS)


@pytest.mark.parametrize("key", METRICS)
@pytest.mark.parametrize("weighted", [False, True])
def test_score_equals_the_reference(key: str, weighted: bool) -> None:
    row = METRICS[key]
    if Task.REGRESSION in row.tasks:
        y = GENERATOR.random(ROWS) * 9 + 0.5
        cases = [(y, y + GENERATOR.random(ROWS), GENERATOR.random(ROWS))]
    else:
        cases = [classification(2 if task is Task.BINARY else 4) for task in row.tasks]
    for y, prediction, weights in cases:
        weights = weights if weighted else None
        assert row.score(y, prediction, weights) == pytest.approx(
            EXPECTED[key](y, prediction, weights), rel=1e-9
        )


@pytest.mark.parametrize("row", METRICS.values(), ids=list(METRICS))
def test_a_better_prediction_is_better_by_its_direction(row: Any) -> None:
    y = GENERATOR.integers(0, 2, ROWS)
    good, bad = np.eye(2)[y] * 0.8 + 0.1, np.full((ROWS, 2), 0.5)
    if Task.REGRESSION in row.tasks:
        y = GENERATOR.random(ROWS) + 1
        good, bad = y + 0.01, y + 0.5
    assert row.better(row.score(y, good, None), row.score(y, bad, None))
    assert row.better(0.0, None)


def test_a_sure_and_wrong_answer_costs_much_but_not_infinitely_much() -> None:
    loss = METRICS["log_loss"].score(np.array([1]), np.array([[1.0, 0.0]]), None)
    assert loss == pytest.approx(-np.log(1e-15))


def test_classes_that_do_not_occur_are_left_out_of_the_mean() -> None:
    y = np.array([0, 0, 1, 1])
    prediction = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1]])
    assert METRICS["roc_auc"].score(y, prediction, None) == 1.0


@pytest.mark.parametrize("task", Task)
def test_auto_gives_the_default_of_the_task(task: Task) -> None:
    assert metric_for("auto", task).key == DEFAULT_METRIC[task]


@pytest.mark.parametrize(
    ("key", "message"), [("rmsse", "Did you mean 'rmse'"), ("f1", "is not for regression")]
)
def test_unknown_or_unfit_metrics_name_what_fits(key: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        metric_for(key, Task.REGRESSION)
