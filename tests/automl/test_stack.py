"""A linear model on top of trials: learned only where it predicts better, and the same in its file."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from flowml.automl.metrics import DEFAULT_METRIC, METRICS
from flowml.automl.onnx import build, check, expected, gate
from flowml.automl.stack import Learned, Stack, features, learn
from flowml.storage.records import Task
from tests.automl.onnx.champions import OUTPUTS, train

ROWS = 1200


def learned(parts: Any, y: Any, task: Task, weights: Any = None) -> Learned | None:
    return learn(parts, y, weights, task, DEFAULT_METRIC[task], 0, time.monotonic() + 30)


def halves(task: Task, seed: int = 0) -> tuple[Any, list[Any]]:
    """A target whose halves are seen by one trial each, so that their sum knows what no mean of them does."""
    generator = np.random.default_rng(seed)
    first, second = generator.normal(size=(2, ROWS))
    if task is Task.REGRESSION:
        return first + second, [first, second]
    raw = 2.0 * (first + second)
    if task is Task.BINARY:
        y = (generator.random(ROWS) < 1 / (1 + np.exp(-raw))).astype(np.int64)
        shares = [1 / (1 + np.exp(-2.0 * half)) for half in (first, second)]
        return y, [np.column_stack([1 - share, share]) for share in shares]
    y = np.digitize(raw, [-1.5, 1.5])
    each = []
    for half in (first, second):
        logs = np.column_stack([-2.0 * half, np.zeros(ROWS) + 0.3, 2.0 * half])
        each.append(np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True))
    return y, each


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("weighted", [False, True])
def test_what_no_mean_can_say_is_learned(task: Task, weighted: bool) -> None:
    y, parts = halves(task)
    weights = np.random.default_rng(1).random(ROWS) + 0.5 if weighted else None
    found = learned(parts, y, task, weights)
    assert found is not None
    unseen, others = halves(task, seed=5)
    row = METRICS[DEFAULT_METRIC[task]]
    mean = np.mean(others, axis=0)
    stacked = found.stack.mixed(mean, np.stack(others), task)
    assert row.better(row.score(unseen, stacked, None), row.score(unseen, mean, None))
    assert Stack.from_dict(found.stack.to_dict()) == found.stack
    there = None if weights is None else weights[found.rows]
    assert row.score(y[found.rows], found.answer, there) == pytest.approx(found.crosswise)


def test_where_the_mean_is_as_good_there_is_none() -> None:
    generator = np.random.default_rng(0)
    y = generator.normal(size=ROWS)
    noisy = [y + 0.5 * generator.normal(size=ROWS) for _ in range(3)]
    assert learned(noisy[:1], y, Task.REGRESSION) is None
    assert learned([part[:50] for part in noisy], y[:50], Task.REGRESSION) is None


def test_it_is_not_begun_without_time() -> None:
    y, parts = halves(Task.MULTICLASS)
    assert learn(parts, y, None, Task.MULTICLASS, "log_loss", 0, time.monotonic() - 1) is None


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_model_with_a_stack_predicts_as_its_trials_do(task: Task, share: float) -> None:
    linear = "ridge" if task is Task.REGRESSION else "logistic"
    trained = train(task, (linear, "lightgbm", "random_forest"))
    members = [replace(m, weight=float(i // 2), trial=i // 2) for i, m in enumerate(trained.members)]
    parts = np.stack([np.mean(trained.predictions[i : i + 2], axis=0) for i in (0, 2, 4)])
    outputs = OUTPUTS[task] if task is Task.MULTICLASS else 1
    generator = np.random.default_rng(0)
    coef = generator.normal(size=(features(parts, task).shape[1], outputs)) / 3
    stack = Stack(tuple(map(tuple, coef.tolist())), tuple(generator.normal(size=outputs).tolist()), share)
    content = build(trained.contract, members, stack=stack)
    weights = np.array([0.0, 1.0, 2.0]) / 3
    wanted = stack.mixed(np.tensordot(weights, parts, axes=1), parts, task)
    assert check(content, trained.feeds, wanted, trained.contract, spread=trained.spread)["passed"]
    report = gate(content, trained.contract, members, trained.feeds, spread=trained.spread, stack=stack)
    assert report["passed"]
    twin = expected(trained.contract, members, trained.feeds, stack=stack)
    assert twin == pytest.approx(wanted, abs=2e-5 * (trained.spread or 1.0))
