"""Linear support vector machines with squared losses, which have slopes everywhere: minimised with L-BFGS.

Classes are each told from all others, and their scores become probabilities after Platt. Both are linear in
the features, so that what is kept is one linear model.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from flowml.automl.algorithms import choices, platt
from flowml.automl.algorithms.descent import Descent, descend
from flowml.automl.algorithms.linear import Linear, linear
from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.metrics import Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

STEPS = 200
OWN_SHARE = 1 / (1 + platt.PARTS)  # of the time, for the fit on all rows


def fit(fold: FoldTable, params: Json, context: FitContext) -> Linear:
    return (_fit_values if fold.task is Task.REGRESSION else _fit_classes)(fold, params, context)


def _fit_classes(fold: FoldTable, params: Json, context: FitContext) -> Linear:
    """The learners that Platt's scores come from take as many steps as the one that is kept."""
    hurried = replace(context, deadline=context.deadline - (1 - OWN_SHARE) * max(0.0, context.remaining))
    found = _separate(fold, params, hurried)
    as_long = replace(context, rounds=max(1, found.steps))

    def scores_of(table: FoldTable) -> Array:
        part = _separate(table, params, as_long)
        scores: Array = table.X_valid @ part.coef + part.intercept
        return scores

    fitted = platt.calibrate(fold, context, scores_of)
    coef, intercept = found.coef @ fitted.coef, found.intercept @ fitted.coef + fitted.intercept
    return linear(coef, intercept, fold.task, found.cut, found.steps)


def _separate(fold: FoldTable, params: Json, context: FitContext) -> Descent:
    classes = np.arange(fold.outputs) if fold.task is Task.MULTICLASS else np.array([1])
    sides = np.where(fold.y[:, None] == classes, 1.0, -1.0)
    return descend(
        fold,
        partial(squared_hinge, sides),
        start=np.zeros(len(classes)),
        penalty=1.0 / float(params["C"]),
        steps=int(params["rounds"]),
        context=context,
    )


def squared_hinge(sides: Array, raw: Array) -> tuple[Array, Array]:
    short = np.maximum(0.0, 1.0 - sides * raw)
    return (short**2).sum(axis=1), -2.0 * sides * short


def _fit_values(fold: FoldTable, params: Json, context: FitContext) -> Linear:
    """Of the standardised target."""
    middle, spread = float(np.average(fold.y, weights=fold.weights)), float(np.std(fold.y)) or 1.0
    found = descend(
        fold,
        partial(squared_tube, ((fold.y - middle) / spread)[:, None], float(params["epsilon"])),
        start=np.zeros(1),
        penalty=1.0 / float(params["C"]),
        steps=int(params["rounds"]),
        context=context,
    )
    return linear(found.coef * spread, found.intercept * spread + middle, fold.task, found.cut, found.steps)


def squared_tube(y: Array, epsilon: float, raw: Array) -> tuple[Array, Array]:
    """Nothing is lost within epsilon of the target."""
    beyond = np.maximum(0.0, np.abs(raw - y) - epsilon)
    return (beyond**2).sum(axis=1), 2.0 * np.sign(raw - y) * beyond


def lighter(params: Json, share: float) -> Json:
    return {**params, "rounds": max(5, int(60 * share))}


def _suggest_tube(trial: Space, shape: Shape) -> Json:
    """What is not counted as an error of the standardised target."""
    if shape.task is not Task.REGRESSION:
        return {}
    return {"epsilon": trial.suggest_float("epsilon", 1e-3, 1.0, log=True)}


def space(trial: Space, shape: Shape) -> Json:
    return {
        "rounds": STEPS,
        "C": trial.suggest_float("C", 1e-4, 10.0, log=True),
        **_suggest_tube(trial, shape),
        **choices.means_where_they_pay(shape, "onehot"),
        **choices.suggest_target(trial, shape),
    }


def defaults(shape: Shape) -> Json:
    return {
        "rounds": STEPS,
        "C": 0.1,
        **({"epsilon": 0.1} if shape.task is Task.REGRESSION else {}),
        **choices.means_where_they_pay(shape, "onehot"),
        **choices.default_target(shape),
    }


def cost(shape: Shape, params: Json) -> Cost:
    """Fitted to measured times over rows, columns and classes."""
    cells = shape.train_rows * shape.onehot_columns
    steps = min(60.0, float(params["rounds"]))
    fits = 1 if shape.task is Task.REGRESSION else platt.PARTS
    seconds = 0.01 + fits * steps * (6e-10 * cells + 2e-8 * shape.train_rows) * shape.outputs
    return Cost(seconds, 4.0 * cells)


LINEAR_SVM = Algorithm(
    key="linear_svm",
    label="Linear support vector machine",
    family="linear",
    package="scipy.optimize",
    tasks=ALL_TASKS,
    encoding="onehot",
    format="linear",
    fit=fit,
    space=space,
    defaults=defaults,
    cost=cost,
    lighter=lighter,
)
