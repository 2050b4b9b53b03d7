"""What each column adds to the raw score of a tree model, as the library that trained it counts it itself.

LightGBM, XGBoost and CatBoost give exact SHAP values of their trees (Lundberg et al. 2020): for every row the
values of all features and the expected score add up to its raw score. Features are put back together to the
raw columns that they were made of, which keeps the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from flowml.automl.fitted import Fitted
from flowml.automl.metrics import Array
from flowml.automl.onnx.native import load_catboost

Explained = tuple[Array, Array]  # contributions (rows, features, outputs), expected scores (outputs,)

SCALES = {"sigmoid": "log-odds", "softmax": "raw score", "expm1": "logarithm of 1 + value"}


def by_column(fitted: Fitted, X: Array, sources: Sequence[str], columns: Sequence[str]) -> Explained:
    """Contributions (rows, columns, outputs) and expected scores, on the scale of the raw score."""
    values, expected = LIBRARIES[fitted.format](fitted, X)
    place = {name: index for index, name in enumerate(columns)}
    total = np.zeros((len(X), len(columns), fitted.n_outputs))
    for feature, source in enumerate(sources):
        total[:, place[source]] += values[:, feature]
    return total, expected


def scale_of(fitted: Fitted) -> str:
    """What the contributions add up to, in words."""
    return SCALES.get(fitted.link, "value")


def _split(found: Array, outputs: int) -> Explained:
    """Of (rows, outputs, features + 1), whose last feature is the expected score."""
    shaped = found.reshape(len(found), outputs, -1).astype(np.float64)
    return shaped[:, :, :-1].transpose(0, 2, 1), shaped[0, :, -1]


def _lightgbm(fitted: Fitted, X: Array) -> Explained:
    import lightgbm

    booster = lightgbm.Booster(model_str=fitted.content.decode())
    return _split(np.asarray(booster.predict(X, pred_contrib=True)), fitted.n_outputs)


def _xgboost(fitted: Fitted, X: Array) -> Explained:
    import xgboost

    booster = xgboost.Booster({"device": "cpu"}, model_file=bytearray(fitted.content))
    return _split(np.asarray(booster.predict(xgboost.DMatrix(X), pred_contribs=True)), fitted.n_outputs)


def _catboost(fitted: Fitted, X: Array) -> Explained:
    import catboost

    model, rows, categorical = load_catboost(fitted, X)
    pool = catboost.Pool(rows, cat_features=list(categorical))
    return _split(np.asarray(model.get_feature_importance(pool, type="ShapValues")), fitted.n_outputs)


LIBRARIES: dict[str, Callable[[Fitted, Array], Explained]] = {
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "catboost": _catboost,
}
