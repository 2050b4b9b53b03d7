"""L-BFGS that watches the deadline, for losses that are linear in the features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from flowml.automl.algorithms.row import FitContext, FoldTable
from flowml.automl.metrics import Array

# Raw scores (rows, outputs) to the losses of the rows and their slopes.
Loss = Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True)
class Descent:
    coef: Array  # (columns, outputs)
    intercept: Array  # (outputs,)
    steps: int
    cut: bool


def descend(
    fold: FoldTable, loss: Loss, start: Array, penalty: float, steps: int, context: FitContext
) -> Descent:
    """The least sum of losses plus half the penalty times the squared coefficients; `start`: intercepts."""
    from scipy.optimize import minimize

    state = {"cut": False}

    def watch(_: Array) -> None:
        if context.rounds is None and context.over:
            state["cut"] = True
            raise StopIteration

    first = np.zeros((fold.X.shape[1] + 1, len(start)))
    first[-1] = start
    found = minimize(
        _penalised,
        first.ravel(),
        args=(fold, loss, penalty),
        method="L-BFGS-B",
        jac=True,
        callback=watch,
        options={"maxiter": context.rounds or steps, "gtol": 1e-6, "ftol": 1e-9},
    )
    weights = found.x.reshape(first.shape)
    return Descent(weights[:-1], weights[-1], int(found.nit), state["cut"])


def _penalised(flat: Array, fold: FoldTable, loss: Loss, penalty: float) -> tuple[float, Array]:
    """The loss and its gradient, per row."""
    rows, columns = fold.X.shape
    weights = flat.reshape(columns + 1, -1)
    coef = weights[:-1]
    raw = (fold.X @ coef.astype(np.float32)).astype(np.float64) + weights[-1]
    losses, slope = loss(raw)
    if fold.weights is not None:
        losses, slope = losses * fold.weights, slope * fold.weights[:, None]
    inner = fold.X.T @ slope.astype(np.float32) + penalty * coef
    gradient = np.vstack([inner, slope.sum(axis=0)])
    total = losses.sum() + 0.5 * penalty * np.sum(coef**2)
    return float(total / rows), gradient.ravel() / rows
