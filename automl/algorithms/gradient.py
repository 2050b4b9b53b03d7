"""Classic gradient boosting of scikit-learn: exact splits, so for small tables. Early stopping on validation.

It refuses missing values. They are given the lowest number instead, which sends them left at every split.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flowml.automl.algorithms import boosting, choices
from flowml.automl.algorithms.losses import Raw, loss_of, scores_of, validation_loss
from flowml.automl.algorithms.planting import Tree, arrays_of, of_sklearn
from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.algorithms.stopping import Watch
from flowml.automl.fitted import Fitted, pack
from flowml.automl.metrics import Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

STEPS = {Task.BINARY: 6.0, Task.MULTICLASS: 8.0, Task.REGRESSION: 20.0}  # for `cost`
LOWEST = np.float32(-1e38)  # for the missing: halfway to any other number is still below all others
MOST_ROUNDS = 1000


@dataclass(frozen=True)
class Gradient:
    model: Any  # cut to its best rounds
    raw: Raw
    base: Array  # scores before the first tree
    cut: bool

    @property
    def rounds(self) -> int:
        return len(self.model.estimators_)

    def predict(self, X: Array) -> Array:
        return self.raw.predict(scores_of(self.model, filled(X)))

    def freeze(self) -> Fitted:
        trees = [
            _tree(tree, self.model.learning_rate, self.raw.targets[place])
            for round_ in self.model.estimators_
            for place, tree in enumerate(round_)
        ]
        base = self.raw.spread(self.base[None])[0]
        return Fitted("sklearn_trees", self.raw.link, pack(arrays_of(trees, base)), self.raw.outputs)


def filled(X: Array) -> Array:
    return np.where(np.isnan(X), LOWEST, X)


def _tree(tree: Any, rate: float, target: int) -> Tree:
    planted = of_sklearn(tree.tree_, tree.tree_.value[:, 0] * rate, target)
    return replace(planted, missing_left=np.ones(tree.tree_.node_count, bool))


def fit(fold: FoldTable, params: Json, context: FitContext) -> Gradient:
    from sklearn import ensemble

    name = "GradientBoostingRegressor" if fold.task is Task.REGRESSION else "GradientBoostingClassifier"
    model = getattr(ensemble, name)(
        loss=loss_of(fold),
        n_estimators=context.rounds or int(params["rounds"]),
        random_state=context.seed,
        **choices.for_library(params),
    )
    follower = _Follower(Watch(context, boosting.patience(params)), fold)
    model.fit(filled(fold.X), fold.y, fold.weights, monitor=follower)
    model.estimators_ = model.estimators_[: follower.watch.rounds]
    return Gradient(model, follower.raw, follower.base(model), follower.watch.cut)


class _Follower:
    """Called after each round: adds its trees to the scores of the validation part."""

    def __init__(self, watch: Watch, fold: FoldTable) -> None:
        self.watch, self.raw = watch, Raw.of(fold)
        self._fold = fold
        self._X = filled(fold.X_valid)
        self._scores: Array | None = None

    def __call__(self, index: int, model: Any, _local: Json) -> bool:
        """True to stop."""
        if self._scores is None:
            self._scores = np.repeat(self.base(model)[None], len(self._X), axis=0)
        self._scores += self._of_round(model, index, self._X)
        return self.watch.step(index, validation_loss(self._fold, self.raw.spread(self._scores)))

    def base(self, model: Any) -> Array:
        """What the model says of a row less what its first trees say."""
        row, model = self._X[:1], copy(model)
        model.estimators_ = model.estimators_[:1]
        scores: Array = (scores_of(model, row) - self._of_round(model, 0, row))[0]
        return scores

    def _of_round(self, model: Any, index: int, X: Array) -> Array:
        trees = model.estimators_[index]
        scores: Array = model.learning_rate * np.column_stack([tree.tree_.predict(X)[:, 0] for tree in trees])
        return scores


# --- row --------------------------------------------------------------------------------------------------


def space(trial: Space, shape: Shape) -> Json:
    return {
        "rounds": MOST_ROUNDS,
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
        "max_depth": trial.suggest_int("max_depth", 2, 8),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 50, log=True),
        "subsample": trial.suggest_float("subsample", 0.4, 1.0),
        "max_features": trial.suggest_float("max_features", 0.1, 1.0),
        **choices.means_where_they_pay(shape, "ordinal"),
        **choices.suggest_target(trial, shape),
    }


def defaults(shape: Shape) -> Json:
    return {
        "rounds": MOST_ROUNDS,
        "learning_rate": 0.05,
        "max_depth": 4,
        "min_samples_leaf": 5,
        "subsample": 0.7,
        "max_features": float(round(min(1.0, max(0.1, 3 / np.sqrt(max(shape.columns, 1)))), 3)),
        **choices.means_where_they_pay(shape, "ordinal"),
        **choices.default_target(shape),
    }


def cost(shape: Shape, params: Json) -> Cost:
    """Fitted to measured times of trees over rows, columns, depth and classes."""
    rows, depth = shape.train_rows * float(params["subsample"]), float(params["max_depth"])
    columns = max(1.0, shape.columns * float(params["max_features"]))
    a_tree = 4e-4 + rows * depth * (2e-8 + 5e-8 * columns) + 1e-7 * shape.valid_rows
    rounds = min(MOST_ROUNDS, boosting.likely_rounds(params, shape.task, STEPS))
    return Cost(0.01 + rounds * shape.outputs * a_tree, 16.0 * shape.train_rows * (shape.columns + 4))


GRADIENT_BOOSTING = Algorithm(
    key="gradient_boosting",
    label="Gradient boosting",
    family="boosting",
    package="sklearn.ensemble",
    tasks=ALL_TASKS,
    encoding="ordinal",
    format="sklearn_trees",
    fit=fit,
    space=space,
    defaults=defaults,
    cost=cost,
    lighter=boosting.lighter,
)
