"""Params that several algorithms share: which encoding to learn from, and whether to learn the logarithm."""

from __future__ import annotations

from flowml.automl.algorithms.row import Space
from flowml.automl.shape import Shape
from flowml.storage.records import Json

OURS = ("rounds", "trees", "encoding", "target", "splits", "patience")  # params that no library knows


def for_library(params: Json) -> Json:
    """The params that are the library's own."""
    return {name: value for name, value in params.items() if name not in OURS}


def default_encoding(shape: Shape) -> Json:
    return {"encoding": "native"} if shape.categorical else {}


def suggest_encoding(trial: Space, shape: Shape) -> Json:
    if not shape.categorical:
        return {}
    return {"encoding": trial.suggest_categorical("encoding", ["native", "ordinal"])}


def default_target(shape: Shape) -> Json:
    return {"target": "plain"} if shape.skewed else {}


def suggest_target(trial: Space, shape: Shape) -> Json:
    if not shape.skewed:
        return {}
    return {"target": trial.suggest_categorical("target", ["plain", "log"])}
