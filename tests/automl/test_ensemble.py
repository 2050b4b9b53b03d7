from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flowml.automl import ensemble
from flowml.automl.ensemble import combine
from flowml.automl.metrics import METRICS
from flowml.storage.records import Task

ROWS = 600


def candidates(task: Task) -> tuple[Any, list[Any]]:
    """Three noisy views of the truth with errors of their own, and a constant."""
    generator = np.random.default_rng(4)
    if task is Task.REGRESSION:
        y = generator.random(ROWS) + 1
        noisy = [y + 0.2 * generator.normal(size=ROWS) for _ in range(3)]
        return y, [*noisy, np.full(ROWS, y.mean())]
    classes = 2 if task is Task.BINARY else 4
    y = generator.integers(0, classes, ROWS)
    views = []
    for _ in range(3):
        raw = np.eye(classes)[y] * 1.5 + generator.normal(size=(ROWS, classes))
        views.append(np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True))
    return y, [*views, np.full((ROWS, classes), 1 / classes)]


CASES = [(row.key, task) for row in METRICS.values() for task in sorted(row.tasks)]


@pytest.mark.parametrize(("metric", "task"), CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_an_ensemble_is_no_worse_than_its_best_member(metric: str, task: Task, weighted: bool) -> None:
    y, parts = candidates(task)
    weights = np.random.default_rng(1).random(ROWS) if weighted else None
    row = METRICS[metric]
    found = combine(parts, y, weights, metric, seed=0)
    blend = np.tensordot(found.weights, np.stack(parts), axes=1)
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.score == pytest.approx(row.score(y, blend, weights), rel=1e-4)
    best = min(row.loss(row.score(y, part, weights)) for part in parts)
    assert row.loss(found.score) <= best + 1e-9
    assert len(found.members) >= 2 or metric in ("mape", "median_ae")


def test_small_weights_are_dropped_and_useless_members_left_out() -> None:
    y, parts = candidates(Task.REGRESSION)
    found = combine([*parts[:3], y[::-1] * 3], y, None, "rmse", seed=0)
    assert found.members == (0, 1, 2)
    assert found.weights[found.weights > 0].min() >= 0.02


def test_the_score_on_rows_not_chosen_on_is_told() -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 60)
    luck = [generator.random((60, 1)) * [[-1, 1]] + [[1, 0]] for _ in range(40)]
    found = combine(luck, y, None, "log_loss", seed=0)
    assert found.score < found.crosswise  # choosing among many guesses flatters
    real_y, real = candidates(Task.BINARY)
    real_found = combine(real, real_y, None, "log_loss", seed=0)
    assert real_found.crosswise < real_found.single_crosswise


def test_many_rows_are_judged_on_a_sample_within_the_time() -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 50_000)
    parts = []
    for _ in range(6):
        p = 1 / (1 + np.exp(-(y - 0.5 + generator.normal(size=len(y)))))
        parts.append(np.column_stack([1 - p, p]))
    found = combine(parts, y, None, "roc_auc", seed=0, deadline_s=2.0)
    assert found.score > METRICS["roc_auc"].score(y, parts[0], None) + 0.02
    assert found.weights.max() < 0.5


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "rmse"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_shortcuts_of_metrics_judge_as_the_metrics_do(metric: str, weighted: bool) -> None:
    y, parts = candidates(Task.REGRESSION if metric == "rmse" else Task.BINARY)
    y, parts = np.tile(y, 10), [np.concatenate([part] * 10) for part in parts]
    weights = np.random.default_rng(1).random(len(y)) if weighted else None
    table = ensemble._Table(np.stack(parts).astype(np.float32), y, weights, metric)
    judged = ensemble._judge(table, np.arange(len(parts)))(np.array([1.0, 0.0, 2.0, 0.0]), 4)
    total = parts[0] + 2 * parts[2]
    row = METRICS[metric]
    exact = np.array([row.loss(row.score(y, (total + part) / 4, weights)) for part in parts])
    if metric == "rmse":
        judged = np.sqrt(
            judged * (1.0 if weights is None else 1 / weights.sum()) / (1 if weighted else len(y))
        )
    assert judged == pytest.approx(exact, abs=2e-4)


@pytest.mark.parametrize("digits", [1, 16])
def test_roc_auc_of_few_rows_is_judged_exactly(digits: int) -> None:
    y, parts = candidates(Task.BINARY)
    parts = [np.round(part, digits) for part in parts]
    table = ensemble._Table(np.stack(parts), y, None, "roc_auc")
    judged = ensemble._judge(table, np.arange(len(parts)))(np.array([1.0, 0.0, 2.0, 0.0]), 4)
    exact = [-METRICS["roc_auc"].score(y, (parts[0] + 2 * parts[2] + part) / 4, None) for part in parts]
    assert judged.tolist() == exact


def test_the_same_seed_gives_the_same_weights() -> None:
    y, parts = candidates(Task.MULTICLASS)
    first, again = (combine(parts, y, None, "log_loss", seed=3) for _ in range(2))
    assert first.weights.tolist() == again.weights.tolist()
