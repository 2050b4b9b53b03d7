"""One fold of each algorithm: learn from X and y, answer for X_valid."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from flowml.automl.algorithms.gradient import filled
from flowml.automl.algorithms.links import sigmoid, softmax, two_columns
from flowml.automl.algorithms.tree import shrunk
from flowml.automl.metrics import Array, Weights


class Fold(NamedTuple):
    X: Array
    y: Array
    weights: Weights
    X_valid: Array
    y_valid: Array
    weights_valid: Weights
    outputs: int  # classes, or 1


def baseline(fold: Fold, median: bool) -> Array:
    if fold.outputs == 1:
        middle = np.median(fold.y) if median else np.average(fold.y, weights=fold.weights)
        return np.full(len(fold.X_valid), middle)
    shares = np.bincount(fold.y, weights=fold.weights, minlength=fold.outputs)
    return np.tile(shares / shares.sum(), (len(fold.X_valid), 1))


def lightgbm_model(fold: Fold, settings: dict[str, Any], categorical: list[int], rounds: int) -> Array:
    import lightgbm

    train = lightgbm.Dataset(
        fold.X, fold.y, weight=fold.weights, categorical_feature=categorical, params=settings
    )
    found: Array = lightgbm.train(settings, train, num_boost_round=rounds).predict(fold.X_valid)
    return two_columns(found) if fold.outputs == 2 else found


def xgboost_model(fold: Fold, settings: dict[str, Any], rounds: int) -> Array:
    import xgboost

    threads = settings["nthread"]
    train = xgboost.QuantileDMatrix(fold.X, fold.y, weight=fold.weights, nthread=threads, max_bin=256)
    found: Array = xgboost.train(settings, train, num_boost_round=rounds).inplace_predict(fold.X_valid)
    return two_columns(found) if fold.outputs == 2 else found


def catboost_model(fold: Fold, settings: dict[str, Any], categorical: list[int], rounds: int) -> Array:
    import catboost

    class Stop:
        def after_iteration(self, info: Any) -> bool:
            return bool(info.iteration < rounds)

    names = [str(place) for place in categorical]
    X, X_valid = catboost_columns(fold.X, categorical), catboost_columns(fold.X_valid, categorical)
    train = catboost.Pool(X, fold.y, cat_features=names, weight=fold.weights)
    valid = catboost.Pool(X_valid, fold.y_valid, cat_features=names, weight=fold.weights_valid)
    sampling = "MVS" if len(fold.y) >= 200 else "Bernoulli"
    model = catboost.CatBoost({**settings, "bootstrap_type": sampling})
    model.fit(train, eval_set=valid, callbacks=[Stop()])
    raw: Array = model.predict(X_valid, prediction_type="RawFormulaVal")
    return raw if fold.outputs == 1 else sigmoid(raw) if fold.outputs == 2 else softmax(raw)


def catboost_columns(X: Array, categorical: list[int]) -> Any:
    """Categories as whole numbers, missing ones as -1."""
    if not categorical:
        return X
    import polars as pl

    named: dict[str, Array] = {str(place): X[:, place] for place in range(X.shape[1])}
    for place in categorical:
        named[str(place)] = np.where(np.isnan(X[:, place]), -1, X[:, place]).astype(np.int32)
    return pl.DataFrame(named)


def histogram_model(
    fold: Fold, settings: dict[str, Any], categorical: list[int], rounds: int, threads: int
) -> Array:
    from sklearn import ensemble
    from threadpoolctl import threadpool_limits

    kind = (
        ensemble.HistGradientBoostingRegressor
        if fold.outputs == 1
        else ensemble.HistGradientBoostingClassifier
    )
    sets = [place for place in categorical if len(np.unique(fold.X[:, place])) <= 254]
    model = kind(max_iter=rounds, categorical_features=sets or None, early_stopping=False, **settings)
    with threadpool_limits(threads):
        model.fit(fold.X, fold.y, fold.weights)
    return boosted(model, fold, fold.X_valid)


def gradient_model(fold: Fold, settings: dict[str, Any], rounds: int) -> Array:
    from sklearn import ensemble

    kind = ensemble.GradientBoostingRegressor if fold.outputs == 1 else ensemble.GradientBoostingClassifier
    model = kind(n_estimators=rounds, **settings).fit(filled(fold.X), fold.y, fold.weights)
    return boosted(model, fold, filled(fold.X_valid))


def boosted(model: Any, fold: Fold, X: Array) -> Array:
    """Values, or probabilities with a column for each class, also for one that the fold lacks."""
    if fold.outputs == 1:
        values: Array = model.predict(X)
        return values
    raw = model.decision_function(X)
    known = sigmoid(raw) if raw.ndim == 1 else softmax(raw)
    return all_classes(known, model.classes_, fold.outputs)


def all_classes(known: Array, classes: Array, outputs: int) -> Array:
    found = np.zeros((len(known), outputs))
    found[:, classes.astype(int)] = known
    return found


def forest_model(fold: Fold, kind: str, settings: dict[str, Any], most_leaves: int, rounds: int) -> Array:
    from sklearn import ensemble

    name = kind + ("Regressor" if fold.outputs == 1 else "Classifier")
    few = most_leaves < len(fold.y) / settings["min_samples_leaf"]
    bound = {"max_leaf_nodes": most_leaves} if few else {}
    model = getattr(ensemble, name)(n_estimators=rounds, **bound, **settings)
    model.fit(fold.X, fold.y, fold.weights)
    model.set_params(n_jobs=1)  # threads would add up the trees in the order in which they are done
    if fold.outputs == 1:
        values: Array = model.predict(fold.X_valid)
        return values
    return all_classes(model.predict_proba(fold.X_valid), model.classes_, fold.outputs)


def tree_model(fold: Fold, settings: dict[str, Any], shrinkage: float) -> Array:
    """Leaves are drawn towards the nodes above them."""
    from sklearn import tree

    kind = tree.DecisionTreeRegressor if fold.outputs == 1 else tree.DecisionTreeClassifier
    weights = None if fold.weights is None else fold.weights / np.mean(fold.weights)
    model = kind(**settings).fit(fold.X, fold.y, weights)
    means = model.tree_.value[:, 0, :]
    value = means if fold.outputs == 1 else all_classes(means, model.classes_, fold.outputs)
    found: Array = shrunk(model.tree_, value, shrinkage)[model.apply(fold.X_valid)]
    return found[:, 0] if fold.outputs == 1 else found
