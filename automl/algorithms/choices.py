"""Params that several algorithms share: which encoding to learn from, and whether to learn the logarithm."""

from __future__ import annotations

from flowml.automl.algorithms.row import Space
from flowml.automl.shape import Shape
from flowml.storage.records import Json

# Params that no library knows.
OURS = ("rounds", "trees", "encoding", "target", "splits", "patience", "shrinkage")


def for_library(params: Json) -> Json:
    """The params that are the library's own."""
    return {name: value for name, value in params.items() if name not in OURS}


def means_where_they_pay(shape: Shape, base: str) -> Json:
    """The encoding `base` with means of the target, where a column has text or many categories."""
    return {"encoding": f"{base}_means"} if shape.has_means else {}


def default_encoding(shape: Shape) -> Json:
    """For libraries that split sets of categories themselves."""
    native = {"encoding": "native"} if shape.categorical else {}
    return native | means_where_they_pay(shape, "native")


def suggest_encoding(trial: Space, shape: Shape) -> Json:
    bases = ["native", "ordinal"] if shape.categorical else ["native"]
    choices = [*(f"{base}_means" for base in bases), *bases] if shape.has_means else bases
    return {"encoding": trial.suggest_categorical("encoding", choices)} if len(choices) > 1 else {}


def kindred_encoding(params: Json, encoding: str) -> str:
    """`encoding`, with means of the target where the params that it is to be changed in have them."""
    return f"{encoding}_means" if str(params["encoding"]).endswith("_means") else encoding


def default_target(shape: Shape) -> Json:
    return {"target": "plain"} if shape.skewed else {}


def suggest_target(trial: Space, shape: Shape) -> Json:
    if not shape.skewed:
        return {}
    return {"target": trial.suggest_categorical("target", ["plain", "log"])}
