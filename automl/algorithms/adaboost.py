"""AdaBoost on small trees: rows that were answered badly weigh more in the next tree.

Classes after SAMME (Zhu, Zou, Rosset and Hastie 2009), whose votes are taken as raw scores of the classes;
values after AdaBoost.R2 (Drucker 1997), but answered with the weighted mean of the trees instead of their
weighted median: it serves squared errors better and is a plain sum. Early stopping on the validation part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from flowml.automl.algorithms import boosting, choices
from flowml.automl.algorithms.links import LINKS, answers
from flowml.automl.algorithms.losses import validation_loss
from flowml.automl.algorithms.planting import NEVER, arrays_of, of_sklearn
from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.algorithms.stopping import Watch
from flowml.automl.fitted import Fitted, pack
from flowml.automl.metrics import Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

MOST_ROUNDS = 500
DEPTHS = {Task.BINARY: 2, Task.MULTICLASS: 4, Task.REGRESSION: 12}
STEPS = {Task.BINARY: 25.0, Task.MULTICLASS: 30.0, Task.REGRESSION: 30.0}  # for `cost`
SURE = 1e-6  # share of errors that a tree is taken to have at least


@dataclass(frozen=True)
class AdaBoost:
    trees: list[Any]
    values: list[Array]  # of each tree's nodes (nodes, outputs); the score is `base` plus their sum
    base: Array
    task: Task
    rounds: int
    cut: bool

    def predict(self, X: Array) -> Array:
        scores = np.tile(self.base, (len(X), 1))
        for tree, value in zip(self.trees, self.values, strict=True):
            scores += value[tree.apply(X)]
        return answers(self.task, scores)

    def freeze(self) -> Fitted:
        planted = [of_sklearn(tree.tree_, value) for tree, value in zip(self.trees, self.values, strict=True)]
        return Fitted("sklearn_trees", LINKS[self.task], pack(arrays_of(planted, self.base)), len(self.base))


class _Booster(Protocol):
    def round(self) -> bool:
        """Grow one more tree; True if none should follow."""

    def scores(self) -> Array:
        """Raw scores of the validation part."""

    def model(self, rounds: int, cut: bool) -> AdaBoost: ...


def fit(fold: FoldTable, params: Json, context: FitContext) -> AdaBoost:
    booster: _Booster = (_Values if fold.task is Task.REGRESSION else _Votes)(fold, params, context.seed)
    watch = Watch(context, boosting.patience(params))
    for index in range(context.rounds or int(params["rounds"])):
        done = booster.round()
        if watch.step(index, validation_loss(fold, booster.scores())) or done:
            break
    return booster.model(watch.rounds, watch.cut)


class _Votes:
    """Each tree votes for a class of each row, with a strength that falls with its errors."""

    def __init__(self, fold: FoldTable, params: Json, seed: int) -> None:
        from sklearn.tree import DecisionTreeClassifier

        self._fold, self._rate = fold, float(params["learning_rate"])
        self._new = DecisionTreeClassifier
        self._settings = _tree_params(params)
        self._seed = seed
        self._weights = _shares(fold)
        self._seen = np.unique(fold.y).astype(int)
        outputs = 1 if fold.task is Task.BINARY else fold.outputs
        self._base = np.zeros(outputs)
        if outputs > 1:
            self._base[:] = NEVER
            self._base[self._seen] = 0.0
        self._scores = np.repeat(self._base[None], len(fold.y_valid), axis=0)
        self._trees: list[Any] = []
        self._values: list[Array] = []

    def round(self) -> bool:
        fold, count = self._fold, len(self._seen)
        tree = self._new(random_state=self._seed + len(self._trees), **self._settings)
        tree.fit(fold.X, fold.y, self._weights * len(fold.y))
        wrong = tree.predict(fold.X) != fold.y
        error = float(np.clip(self._weights[wrong].sum(), SURE, 1 - SURE))
        strength = self._rate * max(0.0, np.log((1 - error) / error) + np.log(max(1, count - 1)))
        self._keep(tree, strength)
        self._weights = self._weights * np.exp(strength * wrong)
        self._weights /= self._weights.sum()
        return strength == 0.0 or error <= SURE

    def _keep(self, tree: Any, strength: float) -> None:
        votes = tree.classes_[tree.tree_.value[:, 0, :].argmax(axis=1)].astype(int)
        if len(self._base) == 1:
            value = strength * (2.0 * votes[:, None] - 1.0)
        else:
            value = strength * np.eye(len(self._base))[votes]
        self._trees.append(tree)
        self._values.append(value)
        self._scores += value[tree.apply(self._fold.X_valid)]

    def scores(self) -> Array:
        return self._scores

    def model(self, rounds: int, cut: bool) -> AdaBoost:
        return AdaBoost(self._trees[:rounds], self._values[:rounds], self._base, self._fold.task, rounds, cut)


class _Values:
    """Each tree learns rows drawn by their weights; the mean of all counts the better ones more."""

    def __init__(self, fold: FoldTable, params: Json, seed: int) -> None:
        from sklearn.tree import DecisionTreeRegressor

        self._fold, self._rate = fold, float(params["learning_rate"])
        self._new = DecisionTreeRegressor
        self._settings = _tree_params(params)
        self._seed, self._draw = seed, np.random.default_rng(seed)
        self._weights = _shares(fold)
        self._sum = np.zeros(len(fold.y_valid))
        self._trees: list[Any] = []
        self._strengths: list[float] = []

    def round(self) -> bool:
        fold = self._fold
        rows = self._draw.choice(len(fold.y), len(fold.y), p=self._weights)
        tree = self._new(random_state=self._seed + len(self._trees), **self._settings)
        tree.fit(fold.X[rows], fold.y[rows])
        away = np.abs(tree.predict(fold.X) - fold.y)
        away = away / max(float(away[self._weights > 0].max()), 1e-12)
        error = float(np.clip((self._weights * away).sum(), SURE, 1 - SURE))
        strength = np.log((1 - error) / error)
        last = error >= 0.5 or error <= SURE
        if last and self._trees:
            return True
        self._trees.append(tree)
        self._strengths.append(max(float(strength), SURE))
        self._sum += self._strengths[-1] * tree.predict(fold.X_valid)
        self._weights = self._weights * np.exp(-self._rate * strength * (1 - np.minimum(away, 1.0)))
        self._weights /= self._weights.sum()
        return last

    def scores(self) -> Array:
        return (self._sum / sum(self._strengths))[:, None]

    def model(self, rounds: int, cut: bool) -> AdaBoost:
        trees, strengths = self._trees[:rounds], np.array(self._strengths[:rounds])
        shares = strengths / strengths.sum()
        middle = float(np.mean(self._fold.y))
        values = [
            share * (tree.tree_.value[:, 0, :] - middle) for tree, share in zip(trees, shares, strict=True)
        ]
        return AdaBoost(trees, values, np.array([middle]), self._fold.task, len(trees), cut)


def _shares(fold: FoldTable) -> Array:
    weights = np.ones(len(fold.y)) if fold.weights is None else fold.weights.astype(np.float64)
    shares: Array = weights / weights.sum()
    return shares


def _tree_params(params: Json) -> Json:
    return {name: params[name] for name in ("max_depth", "min_samples_leaf", "max_features")}


# --- row --------------------------------------------------------------------------------------------------


def lighter(params: Json, share: float) -> Json:
    """Fewer and larger steps."""
    rate = min(1.0, float(params["learning_rate"]) / share)
    return {**params, "learning_rate": rate, "rounds": max(5, int(likely_rounds(params) * share))}


def likely_rounds(params: Json, task: Task = Task.REGRESSION) -> float:
    return boosting.likely_rounds(params, task, STEPS)


def space(trial: Space, shape: Shape) -> Json:
    return {
        "rounds": MOST_ROUNDS,
        "learning_rate": trial.suggest_float("learning_rate", 0.03, 1.0, log=True),
        "max_depth": trial.suggest_int("max_depth", *_depths(shape)),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 50, log=True),
        "max_features": trial.suggest_float("max_features", 0.1, 1.0),
        **choices.means_where_they_pay(shape, "ordinal"),
        **choices.suggest_target(trial, shape),
    }


def _depths(shape: Shape) -> tuple[int, int]:
    """Trees that make no mistake leave nothing to learn for the next; means of many may be deep."""
    return (3, 14) if shape.task is Task.REGRESSION else (1, 6)


def defaults(shape: Shape) -> Json:
    return {
        "rounds": MOST_ROUNDS,
        "learning_rate": 0.2,
        "max_depth": DEPTHS[shape.task],
        "min_samples_leaf": 2,
        "max_features": float(round(min(1.0, max(0.1, 3 / np.sqrt(max(shape.columns, 1)))), 3)),
        **choices.means_where_they_pay(shape, "ordinal"),
        **choices.default_target(shape),
    }


def cost(shape: Shape, params: Json) -> Cost:
    """Fitted to measured times of trees over rows, columns, depth and classes."""
    rows, depth = shape.train_rows, float(params["max_depth"])
    columns = max(1.0, shape.columns * float(params["max_features"]))
    a_tree = 6e-4 + rows * depth * (2e-8 + columns * (5e-8 + 1e-9 * shape.classes)) + 1e-7 * shape.valid_rows
    rounds = likely_rounds(params, shape.task)
    memory = 16.0 * rows * (shape.columns + 4) + rounds * 2**depth * 16.0 * shape.outputs
    return Cost(0.01 + rounds * a_tree, memory)


ADA_BOOST = Algorithm(
    key="ada_boost",
    label="AdaBoost",
    family="boosting",
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
