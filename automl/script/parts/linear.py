"""One fold of each linear model and of the kernel machine; see `models`."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from flowml.automl.algorithms.linear import log_loss_slope
from flowml.automl.algorithms.links import sigmoid, softmax
from flowml.automl.algorithms.margins import squared_hinge, squared_tube
from flowml.automl.algorithms.squash import apply, learn
from flowml.automl.metrics import Array, Weights
from flowml.automl.script.parts.models import Fold

Line = tuple[Array, Array]  # coefficients (columns, scores) and intercepts
Slope = Callable[[Array], tuple[Array, Array]]


def answers(fold: Fold, coef: Array, intercept: Array) -> Array:
    """Of a linear model, in single precision."""
    raw: Array = fold.X_valid @ coef.astype(np.float32) + intercept.astype(np.float32)
    if fold.outputs == 1:
        return raw[:, 0].astype(np.float64)
    return sigmoid(raw[:, 0].astype(np.float64)) if fold.outputs == 2 else softmax(raw)


def descend(X: Array, weights: Weights, loss: Slope, start: Array, penalty: float, steps: int) -> Line:
    """The least loss by L-BFGS, with so many steps at most."""
    from scipy.optimize import minimize

    def penalised(flat: Array) -> tuple[float, Array]:
        line = flat.reshape(X.shape[1] + 1, -1)
        losses, slope = loss((X @ line[:-1].astype(np.float32)).astype(np.float64) + line[-1])
        if weights is not None:
            losses, slope = losses * weights, slope * weights[:, None]
        inner = X.T @ slope.astype(np.float32) + penalty * line[:-1]
        total = losses.sum() + 0.5 * penalty * np.sum(line[:-1] ** 2)
        return float(total / len(X)), np.vstack([inner, slope.sum(axis=0)]).ravel() / len(X)

    first = np.zeros((X.shape[1] + 1, len(start)))
    first[-1] = start
    options = {"maxiter": steps, "gtol": 1e-6, "ftol": 1e-9}
    found = minimize(penalised, first.ravel(), jac=True, method="L-BFGS-B", options=options)
    line = found.x.reshape(first.shape)
    return line[:-1], line[-1]


def logistic(X: Array, y: Array, weights: Weights, outputs: int, C: float, steps: int) -> Line:
    shares = np.bincount(y, weights=weights, minlength=outputs) + 0.5
    logs = np.log(shares / shares.sum())
    start = logs if outputs > 2 else logs[1:] - logs[0]
    return descend(X, weights, partial(log_loss_slope, y), start, 1.0 / C, steps)


def logistic_model(fold: Fold, C: float, rounds: int) -> Array:
    return answers(fold, *logistic(fold.X, fold.y, fold.weights, fold.outputs, C, rounds))


def ridge_model(fold: Fold, alpha: float) -> Array:
    from sklearn.linear_model import Ridge

    weights = np.ones(len(fold.y)) if fold.weights is None else fold.weights
    model = Ridge(alpha=alpha * float(weights.sum()), solver="cholesky")
    model.fit(fold.X.astype(np.float64), fold.y, weights)
    return answers(fold, model.coef_[:, None], np.array([model.intercept_]))


def sparse_model(fold: Fold, alpha: float, l1_ratio: float, seed: int) -> Array:
    """Lasso and elastic net; alpha is relative to the target's spread."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import ElasticNet

    spread = float(np.std(fold.y)) or 1.0
    model = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, max_iter=300, tol=1e-4, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(fold.X.astype(np.float64), fold.y / spread, sample_weight=fold.weights)
    return answers(fold, model.coef_[:, None] * spread, np.array([model.intercept_ * spread]))


# --- machines ---------------------------------------------------------------------------------------------


def platt(fold: Fold, seed: int, scores_of: Callable[[Fold], Array]) -> Line:
    """A logistic regression on scores that learners of other rows gave, see `scores_of`."""
    shuffled = np.random.default_rng(seed).permutation(len(fold.y))
    parts = np.empty(len(fold.y), np.int64)
    parts[shuffled[np.argsort(fold.y[shuffled], kind="stable")]] = np.arange(len(fold.y)) % 3
    found = [scores_of(without(fold, parts == part)) for part in range(3)]
    scores = np.zeros((len(fold.y), found[0].shape[1]))
    for part, each in enumerate(found):
        scores[parts == part] = each
    spread = float(scores.std()) or 1.0
    X = (scores / spread).astype(np.float32)
    coef, intercept = logistic(X, fold.y, fold.weights, fold.outputs, 10.0, 60)
    return coef.astype(np.float32).astype(np.float64) / spread, intercept.astype(np.float32).astype(
        np.float64
    )


def without(fold: Fold, part: Array) -> Fold:
    """The part becomes what is checked, the rest is learned from."""
    weights = None if fold.weights is None else fold.weights[~part]
    return fold._replace(X=fold.X[~part], y=fold.y[~part], weights=weights, X_valid=fold.X[part])


def margin_model(fold: Fold, C: float, rounds: int, seed: int) -> Array:
    """Linear support vector machines, one for each class or one for the second of two."""

    def separate(part: Fold) -> Line:
        classes = np.arange(fold.outputs) if fold.outputs > 2 else np.array([1])
        sides = np.where(part.y[:, None] == classes, 1.0, -1.0)
        loss = partial(squared_hinge, sides)
        return descend(part.X, part.weights, loss, np.zeros(len(classes)), 1.0 / C, rounds)

    def scores_of(part: Fold) -> Array:
        coef, intercept = separate(part)
        scores: Array = part.X_valid @ coef + intercept
        return scores

    coef, intercept = separate(fold)
    slope, shift = platt(fold, seed, scores_of)
    return answers(fold, coef @ slope, intercept @ slope + shift)


def tube_model(fold: Fold, C: float, epsilon: float, rounds: int) -> Array:
    """The linear support vector machine of values."""
    middle, spread = float(np.average(fold.y, weights=fold.weights)), float(np.std(fold.y)) or 1.0
    loss = partial(squared_tube, ((fold.y - middle) / spread)[:, None], epsilon)
    coef, intercept = descend(fold.X, fold.weights, loss, np.zeros(1), 1.0 / C, rounds)
    return answers(fold, coef * spread, intercept * spread + middle)


def kernel_model(fold: Fold, C: float, gamma: float, epsilon: float, most_rows: int, seed: int) -> Array:
    """A support vector machine with radial kernels on squashed features."""
    from sklearn.svm import SVC, SVR

    scaling = learn(fold.X)
    squashed = fold._replace(
        X=apply(scaling, fold.X).astype(np.float32),
        X_valid=apply(scaling, fold.X_valid),
        weights=None if fold.weights is None else fold.weights / np.mean(fold.weights),
    )
    settings: dict[str, Any] = {"C": C, "gamma": gamma / max(1e-9, float(squashed.X.var(axis=0).sum()))}
    few = some_rows(squashed, most_rows, seed)
    if fold.outputs == 1:
        middle, spread = few.y.mean(), few.y.std() or 1.0
        model = SVR(cache_size=100, epsilon=epsilon, **settings)
        values: Array = model.fit(few.X, (few.y - middle) / spread, few.weights).predict(few.X_valid)
        return np.asarray(values * spread + middle)
    pairs = list(itertools.combinations(np.unique(few.y).tolist(), 2))

    def scores_of(part: Fold) -> Array:
        """One score for each pair of classes; 0 where the rows lack one of the two."""
        model = SVC(cache_size=100, decision_function_shape="ovo", **settings)
        model.fit(part.X, part.y, part.weights)
        known = list(itertools.combinations(model.classes_.tolist(), 2))
        scores = np.zeros((len(part.X_valid), len(pairs)))
        found = model.decision_function(part.X_valid.astype(np.float64)).reshape(len(scores), -1)
        scores[:, [pairs.index(pair) for pair in known]] = found
        return scores

    slope, shift = platt(few, seed, scores_of)
    raw = scores_of(few) @ slope + shift
    return sigmoid(raw[:, 0]) if fold.outputs == 2 else softmax(raw)


def some_rows(fold: Fold, rows: int, seed: int) -> Fold:
    """Rows chosen at random, of each class as many as is its share but one at least."""
    if rows >= len(fold.y):
        return fold
    chosen = np.random.default_rng(seed).permutation(len(fold.y))
    if fold.outputs > 1:
        order = chosen[np.argsort(fold.y[chosen], kind="stable")]
        firsts = order[np.unique(fold.y[order], return_index=True)[1]]
        chosen = np.union1d(firsts, order[np.linspace(0, len(order) - 1, rows).astype(int)])
    else:
        chosen = chosen[:rows]
    weights = None if fold.weights is None else fold.weights[chosen]
    return fold._replace(X=fold.X[chosen], y=fold.y[chosen], weights=weights)
