"""XGBoost: level-wise boosting on histograms. Early stopping on the fold's validation part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flowml.automl.algorithms import boosting, choices
from flowml.automl.algorithms.links import LINKS, two_columns
from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.algorithms.stopping import Watch
from flowml.automl.fitted import Fitted
from flowml.automl.metrics import Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

OBJECTIVES = {
    Task.BINARY: "binary:logistic",
    Task.MULTICLASS: "multi:softprob",
    Task.REGRESSION: "reg:squarederror",
}
LOSSES = {Task.BINARY: "logloss", Task.MULTICLASS: "mlogloss", Task.REGRESSION: "rmse"}
STEPS = {Task.BINARY: 6.0, Task.MULTICLASS: 12.0, Task.REGRESSION: 25.0}  # for `cost`


@dataclass(frozen=True)
class XGBoost:
    booster: Any  # sliced to its best rounds
    task: Task
    outputs: int
    rounds: int
    cut: bool

    def predict(self, X: Array) -> Array:
        scores: Array = self.booster.inplace_predict(X)
        return two_columns(scores) if self.task is Task.BINARY else scores

    def freeze(self) -> Fitted:
        outputs = self.outputs if self.task is Task.MULTICLASS else 1
        return Fitted("xgboost", LINKS[self.task], bytes(self.booster.save_raw("json")), outputs)


def fit(fold: FoldTable, params: Json, context: FitContext) -> XGBoost:
    import xgboost

    settings = _settings(fold, params, context)
    train = xgboost.QuantileDMatrix(fold.X, fold.y, weight=fold.weights, nthread=context.threads, max_bin=256)
    valid = xgboost.QuantileDMatrix(
        fold.X_valid, fold.y_valid, weight=fold.weights_valid, nthread=context.threads, max_bin=256, ref=train
    )
    watch = Watch(context, boosting.patience(params))
    booster = xgboost.train(
        settings,
        train,
        num_boost_round=context.rounds or int(params["rounds"]),
        evals=[(valid, "valid")],
        verbose_eval=False,
        callbacks=[_stopper(watch)],
    )
    booster.set_param({"device": "cpu"})  # predicts where the rows are
    return XGBoost(booster[: watch.rounds], fold.task, fold.outputs, watch.rounds, watch.cut)


def _settings(fold: FoldTable, params: Json, context: FitContext) -> Json:
    classes = {"num_class": fold.outputs} if fold.task is Task.MULTICLASS else {}
    return {
        "objective": "reg:absoluteerror" if fold.absolute else OBJECTIVES[fold.task],
        "eval_metric": "mae" if fold.absolute else LOSSES[fold.task],
        "tree_method": "hist",
        "max_bin": 256,
        "nthread": context.threads,
        "seed": context.seed,
        "device": "cpu" if context.card is None else f"cuda:{context.card}",
        **classes,
        **choices.for_library(params),
    }


def _stopper(watch: Watch) -> Any:
    from xgboost.callback import TrainingCallback

    class Stopper(TrainingCallback):  # type: ignore[misc]
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
            (scores,) = evals_log["valid"].values()
            return watch.step(epoch, scores[-1])

    return Stopper()


def space(trial: Space, shape: Shape) -> Json:
    return {
        "rounds": boosting.MOST_ROUNDS,
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "max_depth": trial.suggest_int("max_depth", 3, 10),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.1, 20.0, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1.0),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.05, 1.0),
        "reg_alpha": trial.suggest_float("reg_alpha", 1e-3, 10.0, log=True),
        "reg_lambda": trial.suggest_float("reg_lambda", 1e-3, 10.0, log=True),
        **choices.means_where_they_pay(shape, "ordinal"),
        **choices.suggest_target(trial, shape),
    }


def defaults(shape: Shape) -> Json:
    return {
        "rounds": boosting.MOST_ROUNDS,
        "learning_rate": boosting.default_rate(shape),
        "max_depth": 4 if shape.train_rows < 5000 else 6,
        "min_child_weight": 1.0,
        "subsample": 0.9,
        "colsample_bytree": boosting.default_columns(shape),
        "reg_alpha": 1e-3,
        "reg_lambda": 1.0,
        **choices.means_where_they_pay(shape, "ordinal"),
        **choices.default_target(shape),
    }


def cost(shape: Shape, params: Json) -> Cost:
    """Fitted to measured times of trees over rows, columns, depth and classes."""
    rows, depth = shape.train_rows, float(params["max_depth"])
    columns = shape.columns * float(params["colsample_bytree"])
    nodes = min(2**depth, rows / 4)
    a_tree = 4e-9 * rows * depth + 8e-10 * rows * columns * depth + 9e-7 * nodes * columns
    a_round = 5e-4 + shape.outputs * (a_tree + 1e-7 * shape.valid_rows)
    rounds = boosting.likely_rounds(params, shape.task, STEPS)
    memory = 12.0 * rows * (shape.columns + 4 * shape.outputs)
    return Cost(0.02 + 2e-7 * rows * shape.columns + rounds * a_round, memory)


XGBOOST = Algorithm(
    key="xgboost",
    label="XGBoost",
    family="boosting",
    package="xgboost",
    tasks=ALL_TASKS,
    encoding="ordinal",
    format="xgboost",
    fit=fit,
    space=space,
    defaults=defaults,
    cost=cost,
    lighter=boosting.lighter,
    gpu="cuda",
)
