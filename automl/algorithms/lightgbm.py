"""LightGBM: leaf-wise boosting on histograms. Early stopping on the fold's validation part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flowml.automl.algorithms import boosting, choices
from flowml.automl.algorithms.links import LINKS, two_columns
from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.algorithms.stopping import Watch
from flowml.automl.fitted import Fitted
from flowml.automl.metrics import Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

OBJECTIVES = {Task.BINARY: "binary", Task.MULTICLASS: "multiclass", Task.REGRESSION: "regression"}
LOSSES = {Task.BINARY: "binary_logloss", Task.MULTICLASS: "multi_logloss", Task.REGRESSION: "l2"}
OWN = {"mae": ("regression_l1", "l1"), "median_ae": ("regression_l1", "l1"), "mape": ("mape", "mape")}
STEPS = {Task.BINARY: 6.0, Task.MULTICLASS: 8.0, Task.REGRESSION: 25.0}  # for `cost`


@dataclass(frozen=True)
class LightGBM:
    booster: Any
    task: Task
    outputs: int
    rounds: int
    cut: bool

    def predict(self, X: Array) -> Array:
        scores: Array = self.booster.predict(X, num_iteration=self.rounds)
        return two_columns(scores) if self.task is Task.BINARY else scores

    def freeze(self) -> Fitted:
        text = self.booster.model_to_string(num_iteration=self.rounds)
        outputs = self.outputs if self.task is Task.MULTICLASS else 1
        return Fitted("lightgbm", LINKS[self.task], text.encode(), outputs)


def fit(fold: FoldTable, params: Json, context: FitContext) -> LightGBM:
    import lightgbm

    settings = _settings(fold, params, context)
    categorical = list(fold.categorical)
    train = lightgbm.Dataset(
        fold.X, fold.y, weight=fold.weights, categorical_feature=categorical, params=settings
    )
    valid = train.create_valid(fold.X_valid, fold.y_valid, weight=fold.weights_valid)
    watch = Watch(context, boosting.patience(params))
    booster = lightgbm.train(
        settings,
        train,
        num_boost_round=context.rounds or int(params["rounds"]),
        valid_sets=[valid],
        callbacks=[_stopper(watch)],
    )
    return LightGBM(booster, fold.task, fold.outputs, watch.rounds, watch.cut)


def _settings(fold: FoldTable, params: Json, context: FitContext) -> Json:
    objective, loss = OWN.get(fold.metric, (OBJECTIVES[fold.task], LOSSES[fold.task]))
    extra = {"extra_trees": True} if params.get("splits") == "random" else {}
    classes = {"num_class": fold.outputs} if fold.task is Task.MULTICLASS else {}
    return {
        "objective": objective,
        "metric": loss,
        "num_threads": context.threads,
        "seed": context.seed,
        "deterministic": True,
        "force_row_wise": True,  # else it measures both ways at every start
        "verbosity": -1,
        "bagging_freq": 1,
        "feature_pre_filter": False,
        "device_type": "cpu" if context.card is None else "gpu",
        "gpu_device_id": -1 if context.card is None else context.card,
        **classes,
        **choices.for_library(params),
        **extra,
    }


def _stopper(watch: Watch) -> Any:
    from lightgbm.callback import EarlyStopException

    def stop(env: Any) -> None:
        scores = env.evaluation_result_list
        if watch.step(env.iteration, scores[0][2]):
            raise EarlyStopException(watch.best, scores)

    return stop


def space(trial: Space, shape: Shape) -> Json:
    return {
        "rounds": boosting.MOST_ROUNDS,
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 255, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 2, 100, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.05, 1.0),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
        "lambda_l1": trial.suggest_float("lambda_l1", 1e-3, 10.0, log=True),
        "lambda_l2": trial.suggest_float("lambda_l2", 1e-3, 10.0, log=True),
        "splits": trial.suggest_categorical("splits", ["best", "random"]),
        **choices.suggest_encoding(trial, shape),
        **choices.suggest_target(trial, shape),
    }


def defaults(shape: Shape) -> Json:
    small = shape.train_rows < 2000
    return {
        "rounds": boosting.MOST_ROUNDS,
        "learning_rate": boosting.default_rate(shape),
        "num_leaves": 15 if small else 31,
        "min_data_in_leaf": 10 if small else 20,
        "feature_fraction": boosting.default_columns(shape),
        "bagging_fraction": 1.0,
        "lambda_l1": 1e-3,
        "lambda_l2": 1e-3 if not small else 1.0,
        "splits": "best",
        **choices.default_encoding(shape),
        **choices.default_target(shape),
    }


def cost(shape: Shape, params: Json) -> Cost:
    """Fitted to measured times of trees over rows, columns, leaves and classes."""
    rows, leaves = shape.train_rows, min(float(params["num_leaves"]), shape.train_rows / 20 + 2)
    columns = shape.columns * float(params["feature_fraction"])
    sweep = 2.4e-8 * rows + 9e-10 * rows * columns * np.log2(leaves + 1)
    a_tree = 2e-5 + sweep + leaves * (6e-6 + 6e-7 * columns) + 1e-7 * shape.valid_rows
    seconds = 0.01 + 2e-7 * rows * shape.columns
    rounds = boosting.likely_rounds(params, shape.task, STEPS)
    memory = 8.0 * rows * (shape.columns + 4 * shape.outputs)
    return Cost(float(seconds + rounds * shape.outputs * a_tree), memory)


LIGHTGBM = Algorithm(
    key="lightgbm",
    label="LightGBM",
    family="boosting",
    package="lightgbm",
    tasks=ALL_TASKS,
    encoding="native",
    format="lightgbm",
    fit=fit,
    space=space,
    defaults=defaults,
    cost=cost,
    lighter=boosting.lighter,
    gpu="gpu",
)
