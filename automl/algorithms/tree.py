"""One decision tree: the model that a person can read, and a member unlike the others.

What a leaf says is drawn towards what the nodes above it say, the more so the fewer rows they have: small
leaves then give no extreme probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flowml.automl.algorithms import choices
from flowml.automl.algorithms.planting import arrays_of, of_sklearn
from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.fitted import Fitted, pack
from flowml.automl.metrics import Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

DEEPEST = 16


@dataclass(frozen=True)
class DecisionTree:
    model: Any
    value: Array  # of each node (nodes, outputs)
    task: Task
    rounds: int = 0
    cut: bool = False

    def predict(self, X: Array) -> Array:
        found: Array = self.value[self.model.apply(X)]
        return found[:, 0] if self.task is Task.REGRESSION else found

    def freeze(self) -> Fitted:
        link = "identity" if self.task is Task.REGRESSION else "probability"
        middle = self.value[0] if self.task is Task.REGRESSION else np.zeros(self.value.shape[1])
        tree = of_sklearn(self.model.tree_, self.value - middle)
        return Fitted("sklearn_trees", link, pack(arrays_of([tree], middle)), self.value.shape[1])


def fit(fold: FoldTable, params: Json, context: FitContext) -> DecisionTree:
    from sklearn import tree

    regression = fold.task is Task.REGRESSION
    model = getattr(tree, "DecisionTreeRegressor" if regression else "DecisionTreeClassifier")(
        random_state=context.seed, **choices.for_library(params)
    )
    model.fit(fold.X, fold.y, None if fold.weights is None else fold.weights / np.mean(fold.weights))
    found = model.tree_.value[:, 0, :]
    value = np.zeros((len(found), fold.outputs))
    value[:, [0] if regression else model.classes_.astype(int)] = found
    return DecisionTree(model, shrunk(model.tree_, value, float(params["shrinkage"])), fold.task)


def shrunk(tree: Any, value: Array, strength: float) -> Array:
    """Each node changes what its parent says, by less where the parent has few rows."""
    changed = value.copy()
    for node in range(tree.node_count):  # parents come before their children
        for child in (tree.children_left[node], tree.children_right[node]):
            if child >= 0:
                share = 1 / (1 + strength / tree.weighted_n_node_samples[node])
                changed[child] = changed[node] + share * (value[child] - value[node])
    return changed


def lighter(params: Json, share: float) -> Json:
    """Less deep, with larger leaves."""
    return {
        **params,
        "max_depth": max(2, int(int(params["max_depth"]) * share)),
        "min_samples_leaf": int(int(params["min_samples_leaf"]) / share**2),
    }


def space(trial: Space, shape: Shape) -> Json:
    regression = shape.task is Task.REGRESSION
    loss = {} if regression else {"criterion": trial.suggest_categorical("criterion", ["gini", "entropy"])}
    return {
        "max_depth": trial.suggest_int("max_depth", 2, DEEPEST),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 2, 500, log=True),
        "shrinkage": trial.suggest_float("shrinkage", 0.1, 100.0, log=True),
        **loss,
        **choices.means_where_they_pay(shape, "ordinal"),
        **choices.suggest_target(trial, shape),
    }


def defaults(shape: Shape) -> Json:
    regression = shape.task is Task.REGRESSION
    leaf = np.sqrt(shape.train_rows) / (5 if regression else 2)
    return {
        "max_depth": DEEPEST,
        "min_samples_leaf": int(min(500, max(5, leaf))),
        "shrinkage": 10.0,
        **({} if regression else {"criterion": "entropy"}),
        **choices.means_where_they_pay(shape, "ordinal"),
        **choices.default_target(shape),
    }


def cost(shape: Shape, params: Json) -> Cost:
    """Fitted to measured times over rows, columns, depth and classes."""
    rows = shape.train_rows
    depth = min(float(params["max_depth"]), np.log2(max(2.0, rows / float(params["min_samples_leaf"]))))
    seconds = 1e-3 + rows * shape.columns * (5e-8 + depth * (4e-8 + 6e-9 * shape.classes))
    return Cost(float(seconds), 16.0 * rows * shape.columns)


DECISION_TREE = Algorithm(
    key="decision_tree",
    label="Decision tree",
    family="tree",
    package="sklearn.tree",
    tasks=ALL_TASKS,
    encoding="ordinal",
    format="sklearn_trees",
    fit=fit,
    space=space,
    defaults=defaults,
    cost=cost,
    lighter=lighter,
)
