"""Random forest and extra trees, grown in batches until they are large enough or the deadline is near."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from flowml.automl.algorithms import choices
from flowml.automl.algorithms.planting import arrays_of, of_sklearn
from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.fitted import Arrays, Fitted, pack
from flowml.automl.metrics import Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

MOST_NODES = 400_000  # of one fold's forest: larger ones make the exported file heavy and gain little
MOST_VALUES = 4_000_000  # in the nodes of one fold's forest: each holds a value for every class
SPEEDS = {"RandomForest": (1.1e-8, 3e-8, 6e-9), "ExtraTrees": (0.0, 6e-9, 1e-9)}  # seconds, for `cost`
BATCH_S = 0.5  # aim of a batch: often enough to keep a deadline


@dataclass(frozen=True)
class Forest:
    trees: list[Any]  # fitted scikit-learn trees
    model: Any
    task: Task
    outputs: int
    cut: bool

    @property
    def rounds(self) -> int:
        return len(self.trees)

    def predict(self, X: Array) -> Array:
        if self.task is Task.REGRESSION:
            values: Array = self.model.predict(X)
            return values
        known = self.model.classes_.astype(np.int64)
        probabilities = np.zeros((len(X), self.outputs))
        probabilities[:, known] = self.model.predict_proba(X)
        return probabilities

    def freeze(self) -> Fitted:
        link = "identity" if self.task is Task.REGRESSION else "probability"
        known = None if self.task is Task.REGRESSION else self.model.classes_.astype(np.int64)
        return Fitted("sklearn_trees", link, pack(_arrays(self.trees, known, self.outputs)), self.outputs)


def _arrays(trees: list[Any], known: Array | None, outputs: int) -> Arrays:
    """TREE_ARRAYS of trees whose mean is the score; `base` takes what float32 would round away."""
    inner = [tree.tree_ for tree in trees]
    leaves = np.concatenate([tree.value[tree.children_left < 0, 0, :] for tree in inner])
    middle = leaves.mean(axis=0) if known is None else np.zeros(outputs)
    return arrays_of([of_sklearn(tree, _values(tree, known, middle) / len(inner)) for tree in inner], middle)


def _values(tree: Any, known: Array | None, middle: Array) -> Array:
    """Of each node (nodes, outputs): how far from the middle, or the shares of the classes."""
    means = tree.value[:, 0, :]
    if known is None:
        distances: Array = means - middle
        return distances
    shares = np.zeros((len(means), len(middle)))
    shares[:, known] = means / means.sum(axis=1, keepdims=True)
    return shares


def _build(kind: str, fold: FoldTable, params: Json, context: FitContext) -> Any:
    from sklearn import ensemble

    suffix = "Regressor" if fold.task is Task.REGRESSION else "Classifier"
    leaves = most_leaves(int(params["trees"]), fold.outputs)
    bound = {"max_leaf_nodes": leaves} if leaves < len(fold.y) / int(params["min_samples_leaf"]) else {}
    estimator = getattr(ensemble, kind + suffix)
    return estimator(
        warm_start=True,
        n_jobs=context.threads,
        random_state=context.seed,
        **bound,
        **choices.for_library(params),
    )


def most_leaves(trees: int, outputs: int) -> int:
    """Of one tree, so that the forest does not grow too large."""
    return int(max(8, min(MOST_NODES, MOST_VALUES / outputs) / (2 * trees)))


def fit(kind: str, fold: FoldTable, params: Json, context: FitContext) -> Forest:
    """Grows a few trees, then batches of as many as half a second allows."""
    model = _build(kind, fold, params, context)
    wanted = context.rounds or int(params["trees"])
    grown, batch = 0, context.threads
    while grown < wanted:
        batch = min(batch, wanted - grown)
        began = time.monotonic()
        model.set_params(n_estimators=grown + batch)
        model.fit(fold.X, fold.y, sample_weight=fold.weights)
        grown += batch
        if context.rounds is None and context.over:
            break
        aim = BATCH_S if context.rounds else min(BATCH_S, context.remaining)
        batch = max(context.threads, int(aim * batch / max(time.monotonic() - began, 1e-6)))
    model.set_params(n_jobs=1)  # threads would add up the trees in the order in which they are done
    return Forest(list(model.estimators_), model, fold.task, fold.outputs, grown < wanted)


def _trees(shape: Shape) -> int:
    """Of each fold: together the folds have several times as many."""
    return 100 if shape.classes <= 20 else max(20, 2000 // shape.classes)


def lighter(params: Json, share: float) -> Json:
    return {**params, "trees": max(10, int(int(params["trees"]) * share))}


def space(trial: Space, shape: Shape) -> Json:
    regression = shape.task is Task.REGRESSION
    loss = {} if regression else {"criterion": trial.suggest_categorical("criterion", ["gini", "entropy"])}
    return {
        "trees": _trees(shape),
        "max_features": trial.suggest_float("max_features", 0.1, 1.0),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 30, log=True),
        **loss,
        **choices.means_where_they_pay(shape, "ordinal"),
        **choices.suggest_target(trial, shape),
    }


def defaults(shape: Shape) -> Json:
    regression = shape.task is Task.REGRESSION
    share = 0.5 if regression else min(1.0, 1.5 / np.sqrt(max(shape.columns, 1)))
    return {
        "trees": _trees(shape),
        "max_features": float(round(max(share, 0.1), 3)),
        "min_samples_leaf": 1,
        **({} if regression else {"criterion": "gini"}),
        **choices.means_where_they_pay(shape, "ordinal"),
        **choices.default_target(shape),
    }


def cost(kind: str, shape: Shape, params: Json) -> Cost:
    """Fitted to measured times of trees over rows, columns, size of leaves and classes."""
    rows, trees = shape.train_rows, float(params["trees"])
    columns = max(1.0, shape.columns * float(params["max_features"]))
    classes = max(shape.classes, 1)
    leaves = min(rows / float(params["min_samples_leaf"]), most_leaves(int(trees), classes))
    depth = np.log2(max(2.0, leaves))
    by_row, by_cell, by_leaf = SPEEDS[kind]
    a_tree = 1e-3 + rows * depth * (by_row + by_cell * columns) + by_leaf * leaves * columns * classes
    a_tree += 1e-7 * shape.valid_rows * depth
    return Cost(float(trees * a_tree), trees * 2 * leaves * (64 + 8 * classes))


def _row(key: str, label: str, kind: str) -> Algorithm:
    return Algorithm(
        key=key,
        label=label,
        family="forest",
        package="sklearn.ensemble",
        tasks=ALL_TASKS,
        encoding="ordinal",
        format="sklearn_trees",
        fit=partial(fit, kind),
        space=space,
        defaults=defaults,
        cost=partial(cost, kind),
        lighter=lighter,
    )


RANDOM_FOREST = _row("random_forest", "Random forest", "RandomForest")
EXTRA_TREES = _row("extra_trees", "Extra trees", "ExtraTrees")
