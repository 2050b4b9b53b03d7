"""Support vector machines with radial kernels: libsvm finds the rows that count, and those are kept.

Time grows with the square of the rows and the file with their number, so it learns from a few thousand rows
at most. Classes are told apart pair by pair; Platt's logistic regression on the pairs' scores gives
probabilities, and as it is linear it is folded into the weights of the support vectors.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flowml.automl.algorithms import choices, platt, squash
from flowml.automl.algorithms.links import LINKS, answers
from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.fitted import Arrays, Fitted, pack
from flowml.automl.metrics import Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

MOST_ROWS = 4_000  # that a fold learns from
MOST_CELLS = 1_000_000  # rows times columns: each fold's file takes four times as many bytes
FIRST_ROWS = 400  # whose fit tells how long a larger one will take
CHUNK = 2_000  # rows that are predicted at once


@dataclass(frozen=True)
class KernelMachine:
    arrays: Arrays
    task: Task
    rounds: int  # rows that it learned from, where time did not allow all
    cut: bool

    def predict(self, X: Array) -> Array:
        return answers(self.task, raw_scores(self.arrays, X))

    def freeze(self) -> Fitted:
        outputs = len(self.arrays["intercept"])
        return Fitted("kernel", LINKS[self.task], pack(self.arrays), outputs)


def raw_scores(arrays: Arrays, X: Array) -> Array:
    """Counted in double from what the file holds."""
    machine = _Machine(arrays["vectors"].astype(np.float64), arrays["coef"], arrays["intercept"])
    pieces = (squash.apply(arrays, X[start : start + CHUNK]) for start in range(0, len(X), CHUNK))
    scores = [machine.scores(Z, float(arrays["gamma"])) for Z in pieces]
    return np.concatenate([np.zeros((0, len(arrays["intercept"]))), *scores])


@dataclass(frozen=True)
class _Machine:
    vectors: Array
    coef: Array  # (vectors, scores)
    intercept: Array  # (scores,)

    def scores(self, Z: Array, gamma: float) -> Array:
        """The kernel of each row with each vector, times the weights, plus the intercept."""
        squares = (Z**2).sum(axis=1, keepdims=True) + (self.vectors**2).sum(axis=1)
        kernel = np.exp((squares - 2.0 * (Z @ self.vectors.T)) * -gamma)
        scores: Array = kernel @ self.coef.astype(np.float64) + self.intercept
        return scores


def fit(fold: FoldTable, params: Json, context: FitContext) -> KernelMachine:
    scaling = squash.learn(fold.X)
    table = replace(
        fold,
        X=squash.apply(scaling, fold.X).astype(np.float32),
        X_valid=np.zeros((0, fold.X.shape[1]), np.float32),
        weights=None if fold.weights is None else fold.weights / np.mean(fold.weights),
    )
    gamma = float(params["gamma"]) / max(1e-9, float(table.X.var(axis=0).sum()))
    settings = {"gamma": gamma, "C": float(params["C"])}
    wanted = most_rows(len(fold.y), fold.X.shape[1], int(params["rows"]))
    rows = min(wanted, context.rounds or _in_time(table, settings, wanted, context))
    table = _some(table, rows, context.seed)
    found = (_fit_values if fold.task is Task.REGRESSION else _fit_classes)(table, settings, params, context)
    arrays = {
        **scaling,
        "gamma": np.array(gamma),
        "vectors": found.vectors.astype(np.float32),
        "coef": found.coef.astype(np.float32),
        "intercept": found.intercept,
    }
    cut = rows < wanted
    return KernelMachine(arrays, fold.task, rows if cut else 0, cut)


def most_rows(rows: int, columns: int, asked: int) -> int:
    return min(rows, asked, max(FIRST_ROWS, MOST_CELLS // max(1, columns)))


def _in_time(table: FoldTable, settings: Json, wanted: int, context: FitContext) -> int:
    """As many rows as the time allows, by the time that a few of them take; it grows with their square."""
    if wanted <= FIRST_ROWS:
        return wanted
    began = time.monotonic()
    _libsvm(_some(table, FIRST_ROWS, context.seed), settings)
    first = time.monotonic() - began
    fits = 1 if table.task is Task.REGRESSION else 1 + platt.PARTS * (1 - 1 / platt.PARTS) ** 2
    affordable = FIRST_ROWS * (max(0.0, context.remaining) / (1.5 * fits * first)) ** 0.5
    return int(min(wanted, max(FIRST_ROWS, affordable)))


def _some(table: FoldTable, rows: int, seed: int) -> FoldTable:
    """Rows chosen at random, of each class as many as is its share but one at least."""
    if rows >= len(table.y):
        return table
    shuffled = np.random.default_rng(seed).permutation(len(table.y))
    if table.task is Task.REGRESSION:
        chosen = shuffled[:rows]
    else:
        order = shuffled[np.argsort(table.y[shuffled], kind="stable")]
        firsts = order[np.unique(table.y[order], return_index=True)[1]]
        spread = order[np.linspace(0, len(order) - 1, rows).astype(int)]
        chosen = np.union1d(firsts, spread)
    weights = table.weights
    return replace(
        table, X=table.X[chosen], y=table.y[chosen], weights=None if weights is None else weights[chosen]
    )


def _libsvm(table: FoldTable, settings: Json, **more: Any) -> Any:
    from sklearn import svm

    kind = svm.SVR if table.task is Task.REGRESSION else svm.SVC
    y = table.y
    if table.task is Task.REGRESSION:
        y = (y - y.mean()) / (y.std() or 1.0)
    return kind(kernel="rbf", cache_size=100, **settings, **more).fit(table.X, y, table.weights)


# --- values -----------------------------------------------------------------------------------------------


def _fit_values(table: FoldTable, settings: Json, params: Json, _context: FitContext) -> _Machine:
    model = _libsvm(table, settings, epsilon=float(params["epsilon"]))
    spread = float(table.y.std()) or 1.0
    return _Machine(
        model.support_vectors_, model.dual_coef_.T * spread, model.intercept_ * spread + table.y.mean()
    )


# --- classes ----------------------------------------------------------------------------------------------


def _fit_classes(table: FoldTable, settings: Json, _params: Json, context: FitContext) -> _Machine:
    pairs = list(itertools.combinations(np.unique(table.y).tolist(), 2))
    found = _pairwise(table, settings, pairs)

    def scores_of(part: FoldTable) -> Array:
        return _pairwise(part, settings, pairs).scores(part.X_valid.astype(np.float64), settings["gamma"])

    fitted = platt.calibrate(table, context, scores_of)
    return _Machine(found.vectors, found.coef @ fitted.coef, found.intercept @ fitted.coef + fitted.intercept)


def _pairwise(table: FoldTable, settings: Json, pairs: list[tuple[int, int]]) -> _Machine:
    """One score for each pair of classes; 0 where the rows lack one of the two."""
    model = _libsvm(table, settings)
    known = model.classes_.tolist()
    ends = np.cumsum([0, *model.n_support_])
    coef, intercept = np.zeros((ends[-1], len(pairs))), np.zeros(len(pairs))
    for number, (one, other) in enumerate(itertools.combinations(range(len(known)), 2)):
        place = pairs.index((known[one], known[other]))
        first, second = slice(ends[one], ends[one + 1]), slice(ends[other], ends[other + 1])
        coef[first, place] = model.dual_coef_[other - 1, first]
        coef[second, place] = model.dual_coef_[one, second]
        intercept[place] = model.intercept_[number]
    return _Machine(model.support_vectors_, coef, intercept)


# --- row --------------------------------------------------------------------------------------------------


def lighter(params: Json, share: float) -> Json:
    return {**params, "rows": max(FIRST_ROWS, int(int(params["rows"]) * share**0.5))}


def _suggest_tube(trial: Space, shape: Shape) -> Json:
    """What is not counted as an error of the standardised target."""
    if shape.task is not Task.REGRESSION:
        return {}
    return {"epsilon": trial.suggest_float("epsilon", 0.01, 0.5, log=True)}


def space(trial: Space, shape: Shape) -> Json:
    return {
        "rows": MOST_ROWS,
        "C": trial.suggest_float("C", 0.05, 50.0, log=True),
        "gamma": trial.suggest_float("gamma", 0.05, 5.0, log=True),
        **_suggest_tube(trial, shape),
        **choices.means_where_they_pay(shape, "onehot"),
        **choices.suggest_target(trial, shape),
    }


def defaults(shape: Shape) -> Json:
    return {
        "rows": MOST_ROWS,
        "C": 1.0,
        "gamma": 0.5,
        **({"epsilon": 0.1} if shape.task is Task.REGRESSION else {}),
        **choices.means_where_they_pay(shape, "onehot"),
        **choices.default_target(shape),
    }


def cost(shape: Shape, params: Json) -> Cost:
    """Fitted to measured times over rows, columns and classes."""
    rows = most_rows(shape.train_rows, shape.onehot_columns, int(params["rows"]))
    fits = 1.0 if shape.task is Task.REGRESSION else 1 + platt.PARTS * (1 - 1 / platt.PARTS) ** 2
    pairs = 2.0 / shape.classes if shape.classes > 2 else 1.0  # each has only the rows of two classes
    a_fit = rows**2 * (2e-8 + 1.5e-9 * shape.onehot_columns) * pairs
    answers = 2e-8 * rows * shape.valid_rows
    return Cost(0.01 + fits * a_fit + answers, 1e8 + 12.0 * shape.train_rows * shape.onehot_columns)


SVM = Algorithm(
    key="svm",
    label="Support vector machine (RBF)",
    family="kernel",
    package="sklearn.svm",
    tasks=ALL_TASKS,
    encoding="onehot",
    format="kernel",
    fit=fit,
    space=space,
    defaults=defaults,
    cost=cost,
    lighter=lighter,
)
