"""BARRED: options of the libraries that have no exact twin in ONNX. A trial with one is refused unfitted.

All that a search tries lies outside of this table, so that every trial can become a model file. To bar one
more option, add a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flowml.automl.algorithms.row import COMPLETE, Algorithm
from flowml.storage.errors import SpecError
from flowml.storage.records import Json


@dataclass(frozen=True)
class Barred:
    algorithm: str
    option: str
    values: str  # those that are barred, in words
    includes: Callable[[object], bool]
    why: str


def _true(value: object) -> bool:
    return bool(value)


def _any(value: object) -> bool:
    return value is not None


LINK = "the link between score and answer belongs to the task"

BARRED = (
    Barred("lightgbm", "linear_tree", "true", _true, "its leaves hold linear models"),
    Barred("lightgbm", "zero_as_missing", "true", _true, "ONNX knows no second missing value"),
    Barred("lightgbm", "reg_sqrt", "true", _true, "it learns the root of the target"),
    Barred("lightgbm", "objective", "any", _any, LINK),
    Barred("xgboost", "booster", "gblinear", lambda value: value == "gblinear", "it grows no trees"),
    Barred(
        "xgboost",
        "multi_strategy",
        "multi_output_tree",
        lambda value: value == "multi_output_tree",
        "its leaves hold a value for each class",
    ),
    Barred("xgboost", "objective", "any", _any, LINK),
    Barred(
        "catboost",
        "max_ctr_complexity",
        "more than 1",
        lambda value: isinstance(value, int | float) and value > 1,
        "statistics of combinations of categories are no table of one column",
    ),
    Barred("catboost", "loss_function", "any", _any, LINK),
)


def refuse(algorithm: Algorithm, params: Json) -> None:
    """Raises SpecError where a param is barred, or the algorithm cannot learn from the encoding."""
    encoding = algorithm.encoding_for(params)
    if not algorithm.takes(encoding):
        raise SpecError(
            f"{algorithm.label} cannot learn from missing values, which the encoding {encoding!r} has.",
            f"Use {COMPLETE!r} or {COMPLETE + '_means'!r}.",
        )
    for row in BARRED:
        if row.algorithm == algorithm.key and row.option in params and row.includes(params[row.option]):
            raise SpecError(
                f"{row.option}={params[row.option]!r} cannot be exported: {row.why}.",
                f"Leave {row.option} out: every model is served from its ONNX file.",
            )
