"""Importances find the columns that matter; diagnostics are the numbers that textbooks give."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn import metrics as reference

from flowml.automl import explain
from flowml.automl.contract import Feeds, rows_of
from flowml.automl.explain import diagnostics, permutation_importance, rounded
from flowml.automl.metrics import Array
from flowml.storage.records import Task


@dataclass(frozen=True)
class Problem:
    task: Task
    classes: tuple[str, ...]
    y: Array


def columns(rows: int = 400) -> Feeds:
    draw = np.random.default_rng(0)
    return {name: draw.normal(size=(rows, 1)) for name in ("strong", "weak", "noise")}


def scores(feeds: Feeds) -> Array:
    values: Array = (3 * feeds["strong"] + feeds["weak"]).ravel()
    return values


def test_columns_are_ranked_by_what_shuffling_them_costs() -> None:
    feeds = columns()
    found = permutation_importance(scores, feeds, scores(feeds), "rmse", repeats=3, seed=1)
    assert [one.column for one in found] == ["strong", "weak", "noise"]
    assert found[0].mean > found[1].mean > 0.5
    assert (found[2].mean, found[2].std) == (0.0, 0.0)
    assert found == permutation_importance(scores, feeds, scores(feeds), "rmse", repeats=3, seed=1)


def test_a_fall_counts_alike_where_more_is_better() -> None:
    feeds = columns()
    found = permutation_importance(scores, feeds, scores(feeds), "r2", repeats=2)
    assert [one.column for one in found] == ["strong", "weak", "noise"]
    assert found[0].mean > 0


def test_a_deadline_ends_it_with_what_is_known() -> None:
    feeds = columns()

    def slow(given: Feeds) -> Array:
        time.sleep(0.02)
        return scores(given)

    deadline = time.monotonic() + 0.05
    found = permutation_importance(slow, feeds, scores(feeds), "rmse", repeats=100, deadline=deadline)
    assert 1 <= len(found) <= 3
    assert time.monotonic() < deadline + 0.5
    assert permutation_importance(slow, feeds, scores(feeds), "rmse", deadline=0.0) == ()


def shares(y: Array, classes: int) -> Array:
    draw = np.random.default_rng(2)
    raw = draw.random((len(y), classes)) + 0.7 * np.eye(classes)[y]
    normal: Array = raw / raw.sum(axis=1, keepdims=True)
    return normal


@pytest.mark.parametrize("classes", [2, 3])
def test_classification_agrees_with_scikit_learn(classes: int) -> None:
    y = np.random.default_rng(1).integers(0, classes, 500)
    names = ("a", "b", "c")[:classes]
    p = shares(y, classes)
    found = diagnostics(Problem(Task.MULTICLASS, names, y), p)
    assert found["confusion"]["counts"] == reference.confusion_matrix(y, p.argmax(axis=1)).tolist()
    assert found["confusion"]["labels"] == list(names)
    precision, recall, f1, support = reference.precision_recall_fscore_support(y, p.argmax(axis=1))
    for k, row in enumerate(found["classes"]):
        assert (row["precision"], row["recall"], row["f1"]) == pytest.approx((precision[k], recall[k], f1[k]))
        assert row["support"] == support[k]
    curves = {curve["label"]: curve for curve in found["curves"]}
    assert list(curves) == (["b"] if classes == 2 else list(names))
    for name, curve in curves.items():
        k = names.index(name)
        assert curve["roc"]["area"] == pytest.approx(reference.roc_auc_score(y == k, p[:, k]))
        area = reference.average_precision_score(y == k, p[:, k])
        assert curve["precision_recall"]["area"] == pytest.approx(area)
        assert len(curve["roc"]["x"]) == len(curve["roc"]["y"]) <= 200
        assert sum(curve["calibration"]["count"]) == 500
        told = curve["decisions"]
        assert (told["of"], told["rest"]) == ((y == k).sum(), (y != k).sum())
        for threshold, hits, alarms in zip(told["threshold"], told["hits"], told["alarms"], strict=True):
            named = p[:, k] >= threshold
            assert (hits, alarms) == ((named & (y == k)).sum(), (named & (y != k)).sum())
        half = next(i for i, threshold in enumerate(told["threshold"]) if threshold <= 0.5)
        assert told["hits"][half] + told["alarms"][half] == (p[:, k] >= 0.5).sum()
    json.dumps(found, allow_nan=False)


def test_many_classes_are_cut_to_the_most_frequent() -> None:
    y = np.repeat(np.arange(40), np.arange(1, 41))
    found = diagnostics(Problem(Task.MULTICLASS, tuple(map(str, range(40))), y), shares(y, 40))
    assert found["confusion"]["labels"] == [str(k) for k in range(10, 40)]
    assert found["confusion"]["left_out"] == 10
    assert [curve["label"] for curve in found["curves"]] == [str(k) for k in range(30, 40)]


def test_what_is_confused_most_is_told_of_all_classes() -> None:
    y = np.repeat(np.arange(500), 4)
    p = np.eye(500)[y]
    p[y == 7] = np.eye(500)[499]
    p[0] = np.eye(500)[3]
    found = diagnostics(Problem(Task.MULTICLASS, tuple(map(str, range(500))), y), p)
    assert found["confused"] == [
        {"actual": "7", "predicted": "499", "rows": 4, "share": 1.0},
        {"actual": "0", "predicted": "3", "rows": 1, "share": 0.25},
    ]
    assert found["tangled"]["labels"] == ["0", "3", "7", "499"]
    assert found["tangled"]["counts"] == [[3, 1, 0, 0], [0, 4, 0, 0], [0, 0, 0, 4], [0, 0, 0, 4]]
    assert len(found["classes"]) == 500
    assert len(json.dumps(rounded(found))) < 150_000
    assert "tangled" not in diagnostics(Problem(Task.BINARY, ("a", "b"), y % 2), np.eye(2)[1 - y % 2])


def test_thresholds_follow_a_class_of_few_rows() -> None:
    y = (np.arange(20_000) % 400 == 0).astype(int)
    share = np.clip(np.random.default_rng(4).normal(0.2 + 0.4 * y, 0.1), 0, 1)
    told = diagnostics(Problem(Task.BINARY, ("a", "b"), y), np.column_stack([1 - share, share]))["curves"][0]
    assert len(told["decisions"]["threshold"]) <= 200
    assert len(set(told["decisions"]["hits"])) > 40


def test_regression_agrees_with_scikit_learn() -> None:
    draw = np.random.default_rng(3)
    y = draw.normal(size=1200)
    predicted = y + draw.normal(scale=0.5, size=1200)
    found = diagnostics(Problem(Task.REGRESSION, (), y), predicted)
    assert found["residuals"]["r2"] == pytest.approx(reference.r2_score(y, predicted))
    assert found["residuals"]["mae"] == pytest.approx(reference.mean_absolute_error(y, predicted))
    assert len(found["scatter"]["actual"]) == len(found["scatter"]["predicted"]) <= 500
    assert sum(found["histogram"]["counts"]) == 1200
    json.dumps(found, allow_nan=False)


def test_rows_without_an_out_of_fold_prediction_are_left_out() -> None:
    y = np.array([0.0, 1.0, 2.0, 3.0])
    found = diagnostics(Problem(Task.REGRESSION, (), y), np.array([2.5, np.nan]), rows=np.array([2, 3]))
    assert found["rows"] == 1
    assert found["residuals"]["mean"] == -0.5


@pytest.mark.parametrize("rare", [False, True])
def test_where_time_is_short_fewer_rows_are_shuffled_and_all_columns_reached(
    monkeypatch: pytest.MonkeyPatch, rare: bool
) -> None:
    draw = np.random.default_rng(5)
    feeds = {name: draw.normal(size=(2000, 1)).astype(np.float32) for name in "abcdefghij"}
    y = (feeds["h"].ravel() > (3.1 if rare else 0)).astype(int)
    clock = [100.0]
    monkeypatch.setattr(explain.time, "monotonic", lambda: clock[0])

    def predict(asked: Feeds) -> Array:
        clock[0] += rows_of(asked) / 1000
        return np.column_stack([-asked["h"], asked["h"]])

    found = permutation_importance(predict, feeds, y, "roc_auc", repeats=1, deadline=107.0)
    if rare:  # without all its classes a score could not be had
        assert len(found) < 10
    else:
        assert len(found) == 10
        assert found[0].column == "h"
        assert clock[0] < 108
