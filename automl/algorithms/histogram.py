"""scikit-learn's histogram gradient boosting. Early stopping on the fold's validation part.

It has no callbacks, but asks a scorer after each round: ours follows the validation loss, and by what it
answers the library goes on or stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowml.automl.algorithms import boosting, choices
from flowml.automl.algorithms.losses import Raw, loss_of, scores_of, validation_loss
from flowml.automl.algorithms.planting import Tree, arrays_of
from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.algorithms.stopping import Watch
from flowml.automl.fitted import Fitted, pack
from flowml.automl.metrics import Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

STEPS = {Task.BINARY: 6.0, Task.MULTICLASS: 8.0, Task.REGRESSION: 25.0}  # for `cost`
MOST_CODES = 254  # categories of a column that it can split as a set; columns with more are plain numbers


@dataclass(frozen=True)
class Histogram:
    model: Any  # cut to its best rounds
    raw: Raw
    cut: bool

    @property
    def rounds(self) -> int:
        return len(self.model._predictors)

    def predict(self, X: Array) -> Array:
        return self.raw.predict(scores_of(self.model, X))

    def freeze(self) -> Fitted:
        columns, codes = _columns(self.model, self.model.n_features_in_)
        trees = [
            _tree(predictor, columns, codes, self.raw.targets[place])
            for predictors in self.model._predictors
            for place, predictor in enumerate(predictors)
        ]
        base = self.raw.spread(self.model._baseline_prediction.reshape(1, -1))[0]
        return Fitted("sklearn_trees", self.raw.link, pack(arrays_of(trees, base)), self.raw.outputs)


def fit(fold: FoldTable, params: Json, context: FitContext) -> Histogram:
    from sklearn import ensemble
    from threadpoolctl import threadpool_limits

    raw = Raw.of(fold)
    watch = Watch(context, boosting.patience(params))
    kind = "Regressor" if fold.task is Task.REGRESSION else "Classifier"
    model = getattr(ensemble, f"HistGradientBoosting{kind}")(
        loss=loss_of(fold),
        max_iter=context.rounds or int(params["rounds"]),
        random_state=context.seed,
        categorical_features=_sets(fold) or None,
        early_stopping=True,
        scoring=_Follower(watch, fold, raw),
        n_iter_no_change=1,
        tol=0.0,
        **choices.for_library(params),
    )
    unused = np.full(len(fold.y_valid), fold.y[0])  # the scorer knows the true ones
    with threadpool_limits(context.threads):
        model.fit(
            fold.X, fold.y, fold.weights, X_val=fold.X_valid, y_val=unused, sample_weight_val=_ones(fold)
        )
    model._predictors = model._predictors[: watch.rounds]
    return Histogram(model, raw, watch.cut)


def _ones(fold: FoldTable) -> Array | None:
    """It wants weights of the validation part where it is given weights to learn from."""
    return None if fold.weights is None else np.ones(len(fold.y_valid))


def _sets(fold: FoldTable) -> list[int]:
    """Columns of codes that have few enough of them."""
    return [place for place in fold.categorical if len(np.unique(fold.X[:, place])) <= MOST_CODES]


class _Follower:
    """Called by turns for the rows to learn from, which it passes over, and for the validation part."""

    def __init__(self, watch: Watch, fold: FoldTable, raw: Raw) -> None:
        self._watch, self._fold, self._raw = watch, fold, raw
        self._scores: Array | None = None
        self._rounds = 0
        self._turn = False

    def __call__(self, model: Any, X: Array, _y: Array, sample_weight: Array | None = None) -> float:  # noqa: ARG002
        """A higher number than the last one to go on, a lower one to stop."""
        self._turn = not self._turn
        if self._turn:
            return 0.0
        if self._scores is None:
            self._scores = np.repeat(model._baseline_prediction.reshape(1, -1), len(X), axis=0)
            return 0.0
        for place, predictor in enumerate(model._predictors[-1]):
            missing = model._bin_mapper.missing_values_bin_idx_
            self._scores[:, place] += predictor.predict_binned(X, missing, 1)
        self._rounds += 1
        loss = validation_loss(self._fold, self._raw.spread(self._scores))
        stop = self._watch.step(self._rounds - 1, loss)
        return -1.0 if stop else float(self._rounds)


# --- trees ------------------------------------------------------------------------------------------------


def _columns(model: Any, width: int) -> tuple[list[int], dict[int, Array]]:
    """The column that each feature inside stands for, and of those that are split as sets the codes."""
    if model.is_categorical_ is None:
        return list(range(width)), {}
    first = np.flatnonzero(model.is_categorical_).tolist()
    others = np.flatnonzero(~model.is_categorical_).tolist()
    encoder = model._preprocessor.named_transformers_["encoder"]
    codes = [known[~np.isnan(known)] for known in encoder.categories_]
    return first + others, dict(enumerate(codes))


def _tree(predictor: Any, columns: Sequence[int], codes: dict[int, Array], target: int) -> Tree:
    """Codes that training never saw go where the missing go, so a set names those of the other side."""
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    left, right = (np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
    missing_left = nodes["missing_go_to_left"].astype(bool)
    sets = dict[int, list[int]]()
    for node in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaf).tolist():
        known = codes[int(nodes["feature_idx"][node])]
        goes_left = _members(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]], len(known))
        sets[node] = known[goes_left ^ missing_left[node]].astype(np.int64).tolist()
        if missing_left[node]:
            left[node], right[node] = right[node], left[node]
    asks = np.zeros(len(nodes), bool)
    asks[list(sets)] = True
    return Tree(
        left=left,
        right=right,
        feature=np.array(columns)[np.where(leaf, 0, nodes["feature_idx"])],
        threshold=np.where(leaf | asks, 0.0, nodes["num_threshold"]),
        missing_left=missing_left & ~asks,
        value=nodes["value"].reshape(-1, 1),
        target=target,
        sets=sets,
    )


def _members(bits: Array, count: int) -> Array:
    """Which of the first `count` places are set in words of 32 bits."""
    places: Array = np.unpackbits(bits.astype("<u4").view(np.uint8), bitorder="little")[:count].astype(bool)
    return places


# --- row --------------------------------------------------------------------------------------------------


def space(trial: Space, shape: Shape) -> Json:
    return {
        "rounds": boosting.MOST_ROUNDS,
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
        "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, 127, log=True),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 2, 100, log=True),
        "l2_regularization": trial.suggest_float("l2_regularization", 1e-3, 100.0, log=True),
        "max_features": trial.suggest_float("max_features", 0.1, 1.0),
        **choices.suggest_encoding(trial, shape),
        **choices.suggest_target(trial, shape),
    }


def defaults(shape: Shape) -> Json:
    small = shape.train_rows < 2000
    return {
        "rounds": boosting.MOST_ROUNDS,
        "learning_rate": boosting.default_rate(shape),
        "max_leaf_nodes": 15 if small else 31,
        "min_samples_leaf": 10 if small else 20,
        "l2_regularization": 1.0,
        "max_features": max(0.1, boosting.default_columns(shape)),
        **choices.default_encoding(shape),
        **choices.default_target(shape),
    }


def cost(shape: Shape, params: Json) -> Cost:
    """Fitted to measured times of trees over rows, columns, leaves and classes."""
    rows, leaves = shape.train_rows, min(float(params["max_leaf_nodes"]), shape.train_rows / 20 + 2)
    columns = shape.columns
    sweep = 1e-8 * rows + 1e-9 * rows * columns * np.log2(leaves + 1)
    a_tree = 2e-4 + sweep + leaves * (1.7e-5 + 9e-7 * columns)
    rounds = boosting.likely_rounds(params, shape.task, STEPS)
    seconds = 0.03 + 2e-7 * rows * columns + rounds * (shape.outputs * a_tree + 5e-8 * shape.valid_rows)
    return Cost(float(seconds), 8.0 * rows * (columns + 4 * shape.outputs))


HIST_GRADIENT_BOOSTING = Algorithm(
    key="hist_gradient_boosting",
    label="Histogram gradient boosting",
    family="boosting",
    package="sklearn.ensemble",
    tasks=ALL_TASKS,
    encoding="native",
    format="sklearn_trees",
    fit=fit,
    space=space,
    defaults=defaults,
    cost=cost,
    lighter=boosting.lighter,
)
