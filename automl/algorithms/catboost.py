"""CatBoost: boosting of symmetric trees, with its own statistics of categories. Early stopping on validation.

Categories go in as integers and missing ones as -1. Statistics of single categories only: those of
combinations cannot be written as a table of one column.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flowml.automl.algorithms import boosting, choices
from flowml.automl.algorithms.links import LINKS, sigmoid, softmax
from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.algorithms.stopping import Watch
from flowml.automl.fitted import Fitted
from flowml.automl.metrics import Array
from flowml.automl.shape import MANY, Shape
from flowml.storage.records import Json, Task

LOSSES = {Task.BINARY: "Logloss", Task.MULTICLASS: "MultiClass", Task.REGRESSION: "RMSE"}
STEPS = {Task.BINARY: 10.0, Task.MULTICLASS: 50.0, Task.REGRESSION: 40.0}  # for `cost`
MISSING_CODE = -1
FEWEST_FOR_MVS = 200  # rows; with fewer, sampling by gradients is refused
FEWEST_COLUMNS = 2  # of which a tree chooses: each is drawn by itself, and a round that drew none is lost
MOST_ROUNDS = 2000  # each round is handed the history of all before it


@dataclass(frozen=True)
class CatBoost:
    model: Any
    pool: Any  # the rows it learned from: the JSON names its categories by them
    task: Task
    outputs: int
    categorical: tuple[int, ...]
    rounds: int
    cut: bool

    def predict(self, X: Array) -> Array:
        table = columns(X, self.categorical)
        raw: Array = self.model.predict(
            table, prediction_type="RawFormulaVal", ntree_end=min(self.rounds, self.model.tree_count_)
        )
        if self.task is Task.REGRESSION:
            return raw
        return sigmoid(raw) if self.task is Task.BINARY else softmax(raw)

    def freeze(self) -> Fitted:
        with tempfile.TemporaryDirectory(prefix="flowml-") as folder:
            path = Path(folder) / "model.json"
            self.model.save_model(str(path), format="json", pool=self.pool)
            content = _compact(path.read_bytes())
        if self.model.tree_count_ > self.rounds:
            content = _shortened(content, self.rounds)
        outputs = self.outputs if self.task is Task.MULTICLASS else 1
        return Fitted("catboost", LINKS[self.task], content, outputs)


def columns(X: Array, categorical: tuple[int, ...]) -> Any:
    """The matrix as CatBoost reads it; a frame only where some columns are categories."""
    if not categorical:
        return X
    import polars as pl

    named: dict[str, Array] = {str(i): X[:, i] for i in range(X.shape[1])}
    for i in categorical:
        named[str(i)] = np.where(np.isnan(X[:, i]), MISSING_CODE, X[:, i]).astype(np.int32)
    return pl.DataFrame(named)


def _compact(content: bytes) -> bytes:
    """JSON of one value a line without its indents. To parse it for that takes longer than to write it."""
    return b"".join(map(bytes.strip, content.splitlines()))


def _shortened(content: bytes, rounds: int) -> bytes:
    """The model's JSON without the trees after its best round.

    The library's own `shrink` refuses as many rounds as there are trees, where some of them have no split.
    """
    model = json.loads(content)
    for kind in ("oblivious_trees", "trees"):
        if kind in model:
            model[kind] = model[kind][:rounds]
    return json.dumps(model, separators=(",", ":")).encode()


def fit(fold: FoldTable, params: Json, context: FitContext) -> CatBoost:
    import catboost

    names = [str(i) for i in fold.categorical]
    train = catboost.Pool(columns(fold.X, fold.categorical), fold.y, cat_features=names, weight=fold.weights)
    valid = catboost.Pool(
        columns(fold.X_valid, fold.categorical), fold.y_valid, cat_features=names, weight=fold.weights_valid
    )
    settings = _settings(fold, params, context)
    watch = Watch(context, boosting.patience(params))
    model = catboost.CatBoost(settings)
    model.fit(train, eval_set=valid, callbacks=[_Stopper(watch, settings["loss_function"])])
    with suppress(catboost.CatBoostError):  # see _shortened
        model.shrink(watch.rounds)  # drops the statistics that no tree needs any more, too
    return CatBoost(model, train, fold.task, fold.outputs, fold.categorical, watch.rounds, watch.cut)


def _settings(fold: FoldTable, params: Json, context: FitContext) -> Json:
    loss = "MAE" if fold.absolute else LOSSES[fold.task]
    classes = {"classes_count": fold.outputs} if fold.task is Task.MULTICLASS else {}
    return {
        "loss_function": loss,
        "iterations": int(
            params["rounds"]
        ),  # other defaults follow from it; the watch ends at those asked for
        "thread_count": context.threads,
        "random_seed": context.seed,
        "max_ctr_complexity": 1,
        "bootstrap_type": "MVS" if len(fold.y) >= FEWEST_FOR_MVS else "Bernoulli",
        "use_best_model": False,  # the watch knows the best round
        "allow_writing_files": False,
        "logging_level": "Silent",
        **classes,
        **choices.for_library(params),
    }


class _Stopper:
    def __init__(self, watch: Watch, metric: str) -> None:
        self._watch, self._metric = watch, metric

    def after_iteration(self, info: Any) -> bool:
        """True to go on."""
        scores = info.metrics["validation"][self._metric]
        return not self._watch.step(info.iteration - 1, scores[-1])


def space(trial: Space, shape: Shape) -> Json:
    fewest = min(0.5, max(0.05, FEWEST_COLUMNS / max(shape.columns, 1)))
    return {
        "rounds": MOST_ROUNDS,
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
        "depth": trial.suggest_int("depth", 3, 9),
        "l2_leaf_reg": trial.suggest_float("l2_leaf_reg", 0.5, 20.0, log=True),
        "random_strength": trial.suggest_float("random_strength", 0.1, 5.0, log=True),
        "subsample": trial.suggest_float("subsample", 0.6, 1.0),
        "rsm": trial.suggest_float("rsm", fewest, 1.0),
        "one_hot_max_size": trial.suggest_int("one_hot_max_size", 2, 60, log=True),
        **choices.suggest_encoding(trial, shape),
        **choices.suggest_target(trial, shape),
    }


def defaults(shape: Shape) -> Json:
    return {
        "rounds": MOST_ROUNDS,
        "learning_rate": 0.06 if shape.outputs < 8 else 0.1,
        "depth": 6 if shape.outputs < 4 else 5 if shape.outputs < 8 else 4,  # each leaf holds all classes
        "l2_leaf_reg": 3.0,
        "random_strength": 1.0,
        "subsample": 0.8,
        "rsm": 1.0 if shape.columns <= 200 else boosting.default_columns(shape),
        "one_hot_max_size": 20 if shape.train_rows < 10_000 else 2,  # statistics pay on many rows
        **choices.default_encoding(shape),
        **choices.default_target(shape),
    }


def cost(shape: Shape, params: Json) -> Cost:
    """Fitted to measured times of trees over rows, columns, depth, classes; statistics count as columns."""
    rows, depth, outputs = shape.train_rows, float(params["depth"]), shape.outputs
    native = str(params.get("encoding")).startswith("native")
    most = min(shape.max_cardinality, MANY) if shape.has_means else shape.max_cardinality
    statistics = shape.categorical if native and most > params["one_hot_max_size"] else 0
    wide = shape.columns * float(params["rsm"]) + 6 * statistics
    sweep = rows * (2e-8 * outputs + 1.7e-9 * depth + depth * wide * (5e-10 * outputs + 1.5e-10))
    a_round = 3e-4 + 2.4e-6 * wide * depth + sweep + 1e-6 * 2**depth * wide * outputs
    rounds = boosting.likely_rounds(params, shape.task, STEPS)
    memory = 16.0 * rows * (wide + 4 * outputs)
    return Cost(0.02 + 2e-7 * rows * shape.columns + rounds * a_round, memory)


CATBOOST = Algorithm(
    key="catboost",
    label="CatBoost",
    family="boosting",
    package="catboost",
    tasks=ALL_TASKS,
    encoding="native",
    format="catboost",
    fit=fit,
    space=space,
    defaults=defaults,
    cost=cost,
    lighter=boosting.lighter,
)
