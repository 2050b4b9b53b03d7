"""What a row of ALGORITHMS says, and what a fit is given and gives back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from flowml.automl.fitted import Fitted
from flowml.automl.metrics import CLASSIFICATION, REGRESSION, Array, Weights
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

ALL_TASKS = CLASSIFICATION | REGRESSION
COMPLETE = "onehot"  # the encoding without missing values, with or without means beside it


@dataclass(frozen=True)
class FoldTable:
    """One fold in one encoding: float32 rows to learn from, and those that it is checked on."""

    X: Array
    y: Array
    weights: Weights
    X_valid: Array
    y_valid: Array
    weights_valid: Weights
    task: Task
    outputs: int  # columns of a prediction
    metric: str
    categorical: tuple[int, ...] = ()  # columns that hold codes of categories

    @property
    def absolute(self) -> bool:
        """Whether the metric asks for the median, so that absolute errors should be minimised."""
        return self.metric in ("mae", "median_ae")


@dataclass(frozen=True)
class FitContext:
    """`deadline` is on the clock of time.monotonic; `rounds` asks for exactly so many, not to stop early."""

    threads: int
    seed: int
    deadline: float
    device: str = "cpu"
    rounds: int | None = None

    @property
    def remaining(self) -> float:
        return self.deadline - time.monotonic()

    @property
    def card(self) -> int | None:
        """Index of the GPU to train on, None for the CPU: `device` is cpu, gpu (the first) or gpu:1."""
        name, _, index = self.device.partition(":")
        return int(index or 0) if name == "gpu" else None

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.deadline


class Estimator(Protocol):
    """A fitted model of one fold, still native to its library."""

    @property
    def rounds(self) -> int:
        """Trees, boosting rounds or steps that are kept; 0 where the algorithm has none."""

    @property
    def cut(self) -> bool:
        """Whether the deadline ended the fit, which gave a smaller model."""

    def predict(self, X: Array) -> Array:
        """(n, K) class probabilities, or (n,) values."""

    def freeze(self) -> Fitted: ...


class Space(Protocol):
    """The part of an Optuna trial that a search space needs."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int: ...

    def suggest_categorical(self, name: str, choices: list[str]) -> str: ...


@dataclass(frozen=True)
class Cost:
    """Of one fold on one thread of an ordinary core."""

    seconds: float
    memory: float  # bytes, beside the table itself


@dataclass(frozen=True)
class Algorithm:
    key: str
    label: str
    family: str
    package: str  # what it imports; a trial records the library's version
    tasks: frozenset[Task]
    encoding: str
    format: str  # of Fitted: how it exports
    fit: Callable[[FoldTable, Json, FitContext], Estimator]
    space: Callable[[Space, Shape], Json]
    defaults: Callable[[Shape], Json]
    cost: Callable[[Shape, Json], Cost]
    lighter: Callable[[Json, float], Json] | None = None  # the same learner in a share of its time
    gpu: str = ""  # how the library calls the GPU; empty: it runs on CPU only
    log_target: bool = True  # whether learning the logarithm of a skewed target makes sense

    def encoding_for(self, params: Json) -> str:
        return str(params.get("encoding", self.encoding))

    def takes(self, encoding: str) -> bool:
        """Whether it can learn from this encoding: all but COMPLETE leave missing values as they are."""
        return self.encoding != COMPLETE or encoding.partition("_")[0] == COMPLETE
