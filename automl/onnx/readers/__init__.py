"""READERS: from the bytes of a fitted model to a part of a champion. To add a format: one row, one reader."""

from __future__ import annotations

from collections.abc import Callable

from flowml.automl.fitted import Fitted
from flowml.automl.onnx.parts import Part
from flowml.automl.onnx.readers import arrays, catboost, converted, formulas, lightgbm, networks, xgboost
from flowml.storage.errors import ExportError

READERS: dict[str, Callable[[Fitted, int], Part]] = {
    "lightgbm": lambda fitted, _: lightgbm.read(fitted),
    "xgboost": lambda fitted, _: xgboost.read(fitted),
    "catboost": catboost.read,
    "sklearn_trees": lambda fitted, _: arrays.read_trees(fitted),
    "linear": lambda fitted, _: arrays.read_linear(fitted),
    "kernel": lambda fitted, _: formulas.read(fitted, formulas.kernel),
    "network": lambda fitted, _: networks.read(fitted),
    "neighbors": lambda fitted, _: formulas.read(fitted, formulas.neighbors),
    "quadratic": lambda fitted, _: formulas.read(fitted, formulas.quadratic),
    "constant": lambda fitted, _: arrays.read_constant(fitted),
    "onnx": lambda fitted, _: converted.read(fitted),
}


def read(fitted: Fitted, width: int) -> Part:
    """Read a fitted model that expects `width` features."""
    part = READERS[fitted.format](fitted, width)
    if part.n_outputs != fitted.n_outputs:
        raise ExportError(
            f"A {fitted.format} model has {part.n_outputs} outputs, {fitted.n_outputs} were expected.",
            "Train the model again.",
        )
    return part
