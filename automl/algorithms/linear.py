"""Linear models on the one-hot encoding: logistic regression, ridge, lasso and elastic net.

Logistic regression is minimised here with L-BFGS on the float32 matrix, because its steps can then watch the
deadline; ridge is solved from the Gram matrix in float64. Coefficients are kept and used as float32.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial

import numpy as np

from flowml.automl.algorithms import choices
from flowml.automl.algorithms.descent import descend
from flowml.automl.algorithms.links import LINKS, sigmoid, softmax
from flowml.automl.algorithms.row import Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.fitted import Fitted, pack
from flowml.automl.metrics import CLASSIFICATION, REGRESSION, Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

CHUNK = 20_000  # rows of a float64 piece


@dataclass(frozen=True)
class Linear:
    coef: Array  # float32 (columns, outputs)
    intercept: Array  # float32 (outputs,)
    task: Task
    cut: bool = False
    rounds: int = 0

    def predict(self, X: Array) -> Array:
        raw: Array = X @ self.coef + self.intercept
        if self.task is Task.REGRESSION:
            return raw[:, 0].astype(np.float64)
        return sigmoid(raw[:, 0].astype(np.float64)) if self.task is Task.BINARY else softmax(raw)

    def freeze(self) -> Fitted:
        content = pack({"coef": self.coef, "intercept": self.intercept})
        return Fitted("linear", LINKS[self.task], content, len(self.intercept))


def linear(coef: Array, intercept: Array, task: Task, cut: bool = False, rounds: int = 0) -> Linear:
    return Linear(coef.astype(np.float32), intercept.astype(np.float32), task, cut, rounds)


# --- logistic regression ----------------------------------------------------------------------------------


def fit_logistic(fold: FoldTable, params: Json, context: FitContext) -> Linear:
    found = descend(
        fold,
        partial(log_loss_slope, fold.y),
        start=_log_shares(fold),
        penalty=1.0 / float(params["C"]),
        steps=int(params["rounds"]),
        context=context,
    )
    return linear(found.coef, found.intercept, fold.task, found.cut, found.steps)


def _log_shares(fold: FoldTable) -> Array:
    """Where an intercept starts: at the classes' shares."""
    shares = np.bincount(fold.y, weights=fold.weights, minlength=fold.outputs) + 0.5
    logs: Array = np.log(shares / shares.sum())
    return logs if fold.task is Task.MULTICLASS else logs[1:] - logs[0]


def log_loss_slope(y: Array, raw: Array) -> tuple[Array, Array]:
    if raw.shape[1] == 1:
        signed = np.where(y == 1, raw[:, 0], -raw[:, 0])
        return np.logaddexp(0.0, -signed), (sigmoid(raw[:, 0])[:, 1] - y)[:, None]
    slope = softmax(raw)
    losses = -np.log(np.maximum(slope[np.arange(len(y)), y], 1e-300))
    slope[np.arange(len(y)), y] -= 1.0
    return losses, slope


# --- regression -------------------------------------------------------------------------------------------


def fit_ridge(fold: FoldTable, params: Json, _context: FitContext) -> Linear:
    """Least squares with a penalty of alpha times the rows' weight, on centred columns."""
    weights = np.ones(len(fold.y)) if fold.weights is None else fold.weights
    means = np.average(fold.X, axis=0, weights=weights).astype(np.float64)
    middle = float(np.average(fold.y, weights=weights))
    penalty = float(params["alpha"]) * float(weights.sum())
    solve = _by_columns if fold.X.shape[1] <= len(fold.y) else _by_rows
    coef = solve(fold.X, fold.y - middle, weights, means, penalty)
    return linear(coef[:, None], np.array([middle - means @ coef]), fold.task)


def _by_columns(X: Array, y: Array, weights: Array, means: Array, penalty: float) -> Array:
    """Solves (X'X + penalty I) w = X'y, reading the rows in pieces."""
    gram = np.zeros((len(means), len(means)))
    moment = np.zeros(len(means))
    for start in range(0, len(y), CHUNK):
        piece = slice(start, start + CHUNK)
        centred = X[piece].astype(np.float64) - means
        weighted = centred * weights[piece, None]
        gram += weighted.T @ centred
        moment += weighted.T @ y[piece]
    gram[np.diag_indices_from(gram)] += penalty
    coef: Array = np.linalg.solve(gram, moment)
    return coef


def _by_rows(X: Array, y: Array, weights: Array, means: Array, penalty: float) -> Array:
    """The same for more columns than rows: w = X'(XX' + penalty I)^-1 y."""
    root = np.sqrt(weights)
    centred = (X.astype(np.float64) - means) * root[:, None]
    kernel = centred @ centred.T
    kernel[np.diag_indices_from(kernel)] += penalty
    coef: Array = centred.T @ np.linalg.solve(kernel, y * root)
    return coef


def fit_sparse(fold: FoldTable, params: Json, context: FitContext) -> Linear:
    """Lasso, and elastic net where `l1_ratio` is below 1; alpha is relative to the target's spread."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import ElasticNet

    spread = float(np.std(fold.y)) or 1.0
    model = ElasticNet(
        alpha=float(params["alpha"]),
        l1_ratio=float(params.get("l1_ratio", 1.0)),
        max_iter=300,
        tol=1e-4,
        random_state=context.seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a rough optimum predicts as well
        model.fit(fold.X.astype(np.float64), fold.y / spread, sample_weight=fold.weights)
    return linear(model.coef_[:, None] * spread, np.array([model.intercept_ * spread]), fold.task)


# --- rows -------------------------------------------------------------------------------------------------


def _logistic_space(trial: Space, shape: Shape) -> Json:
    return {"rounds": 300, "C": trial.suggest_float("C", 1e-3, 100.0, log=True), **_encoding(shape)}


def _ridge_space(trial: Space, shape: Shape) -> Json:
    return {
        "alpha": trial.suggest_float("alpha", 1e-6, 1.0, log=True),
        **_encoding(shape),
        **choices.suggest_target(trial, shape),
    }


def _lasso_space(trial: Space, shape: Shape) -> Json:
    return {
        "alpha": trial.suggest_float("alpha", 1e-5, 0.3, log=True),
        **_encoding(shape),
        **choices.suggest_target(trial, shape),
    }


def _elastic_space(trial: Space, shape: Shape) -> Json:
    return {**_lasso_space(trial, shape), "l1_ratio": trial.suggest_float("l1_ratio", 0.05, 0.95)}


def _logistic_cost(shape: Shape, params: Json) -> Cost:
    cells = shape.train_rows * shape.onehot_columns
    steps = min(60.0, float(params["rounds"]))
    return Cost(0.01 + steps * (6e-10 * cells + 1.5e-8 * shape.train_rows) * shape.outputs, 4.0 * cells)


def _logistic_lighter(params: Json, share: float) -> Json:
    return {**params, "rounds": max(5, int(60 * share))}


def _ridge_cost(shape: Shape, _params: Json) -> Cost:
    rows, columns = shape.train_rows, shape.onehot_columns
    products = float(rows) * columns * min(rows, columns)
    return Cost(0.003 + 6e-9 * rows * columns + 6e-11 * products, 16.0 * rows * columns)


def _sparse_cost(shape: Shape, _params: Json) -> Cost:
    cells = shape.train_rows * shape.onehot_columns
    return Cost(0.02 + 3e-8 * cells, 12.0 * cells)


_encoding = partial(choices.means_where_they_pay, base="onehot")
_row = partial(Algorithm, family="linear", encoding="onehot", format="linear")

LOGISTIC = _row(
    key="logistic",
    label="Logistic regression",
    package="scipy.optimize",
    tasks=CLASSIFICATION,
    fit=fit_logistic,
    space=_logistic_space,
    defaults=lambda shape: {"rounds": 300, "C": 1.0, **_encoding(shape)},
    cost=_logistic_cost,
    lighter=_logistic_lighter,
    log_target=False,
)
RIDGE = _row(
    key="ridge",
    label="Ridge regression",
    package="numpy",
    tasks=REGRESSION,
    fit=fit_ridge,
    space=_ridge_space,
    defaults=lambda shape: {"alpha": 1e-3, **_encoding(shape), **choices.default_target(shape)},
    cost=_ridge_cost,
)
LASSO = _row(
    key="lasso",
    label="Lasso",
    package="sklearn.linear_model",
    tasks=REGRESSION,
    fit=fit_sparse,
    space=_lasso_space,
    defaults=lambda shape: {"alpha": 1e-3, **_encoding(shape), **choices.default_target(shape)},
    cost=_sparse_cost,
)
ELASTIC_NET = _row(
    key="elastic_net",
    label="Elastic net",
    package="sklearn.linear_model",
    tasks=REGRESSION,
    fit=fit_sparse,
    space=_elastic_space,
    defaults=lambda shape: {
        "alpha": 1e-3,
        "l1_ratio": 0.5,
        **_encoding(shape),
        **choices.default_target(shape),
    },
    cost=_sparse_cost,
)
