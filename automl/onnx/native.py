"""The raw scores of a fitted model as its own library gives them: what an exported model is compared with."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from flowml.automl.algorithms import bayes, kernel, neighbors, perceptron
from flowml.automl.algorithms.catboost import columns
from flowml.automl.fitted import Fitted, unpack
from flowml.automl.onnx.forest import Floats, Matrix
from flowml.automl.onnx.links import apply_link
from flowml.automl.onnx.readers import arrays


def predict(fitted: Fitted, X: Matrix) -> Floats:
    """The prediction (rows, outputs) for a matrix of features."""
    raw = np.asarray(LIBRARIES[fitted.format](fitted, X), np.float64).reshape(len(X), fitted.n_outputs)
    return apply_link(fitted.link, raw)


def _lightgbm(fitted: Fitted, X: Matrix) -> Floats:
    import lightgbm

    booster = lightgbm.Booster(model_str=fitted.content.decode())
    scores: Floats = booster.predict(X, raw_score=True, num_threads=1)
    return scores


def _xgboost(fitted: Fitted, X: Matrix) -> Floats:
    import xgboost

    booster = xgboost.Booster({"nthread": 1, "device": "cpu"}, model_file=bytearray(fitted.content))
    scores: Floats = booster.inplace_predict(X, predict_type="margin")
    return scores


def _catboost(fitted: Fitted, X: Matrix) -> Floats:
    model, rows, _ = load_catboost(fitted, X)
    scores: Floats = model.predict(rows, prediction_type="RawFormulaVal", thread_count=1)
    return scores


def load_catboost(fitted: Fitted, X: Matrix) -> tuple[Any, Any, tuple[int, ...]]:
    """The model, the rows as it reads them, and which of their columns are categories."""
    import catboost

    described = json.loads(fitted.content)["features_info"].get("categorical_features") or ()
    categorical = tuple(each["flat_feature_index"] for each in described)
    with tempfile.TemporaryDirectory(prefix="flowml-") as folder:
        path = Path(folder) / "model.json"
        path.write_bytes(fitted.content)
        model = catboost.CatBoost().load_model(str(path), format="json")
    return model, columns(X, categorical), categorical


def _converted(fitted: Fitted, X: Matrix) -> Floats:
    import onnxruntime

    session = onnxruntime.InferenceSession(fitted.content, providers=["CPUExecutionProvider"])
    answers = session.run(None, {session.get_inputs()[0].name: X})
    scores: Floats = next(answer for answer in answers if answer.dtype.kind == "f")
    return scores


LIBRARIES: dict[str, Callable[[Fitted, Matrix], Floats]] = {
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "catboost": _catboost,
    "sklearn_trees": lambda fitted, X: arrays.read_trees(fitted).forest.raw(X),
    "linear": lambda fitted, X: arrays.read_linear(fitted).raw(X),
    "kernel": lambda fitted, X: kernel.raw_scores(unpack(fitted.content), X),
    "network": lambda fitted, X: perceptron.raw_scores(unpack(fitted.content), X),
    "neighbors": lambda fitted, X: neighbors.raw_scores(unpack(fitted.content), X),
    "quadratic": lambda fitted, X: bayes.raw_scores(unpack(fitted.content), X),
    "constant": lambda fitted, X: arrays.read_constant(fitted).raw(X),
    "onnx": _converted,
}
