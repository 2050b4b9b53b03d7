"""Small champions of every kind, trained on the table with a bit of everything."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from flowml.automl import features
from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.algorithms.row import FoldTable
from flowml.automl.contract import Contract, Feeds
from flowml.automl.metrics import DEFAULT_METRIC, Array
from flowml.automl.onnx import Member
from flowml.storage.records import Json, Task
from tests.automl.algorithms.folds import OUTPUTS, context, shape_of
from tests.automl.conftest import FEATURES, mixed_table

CLASSES = {Task.BINARY: ("no", "yes"), Task.MULTICLASS: ("high", "low", "middle"), Task.REGRESSION: ()}
FEW = {"rounds": 40, "trees": 10}


@dataclass(frozen=True)
class Trained:
    contract: Contract
    feeds: Feeds
    y: Array
    members: tuple[Member, ...]
    predictions: tuple[Array, ...]  # of each member for all rows, by its estimator

    @property
    def spread(self) -> float:
        return float(np.std(self.y))


def target_of(frame: pl.DataFrame, task: Task) -> Array:
    """Depends on numbers, categories and dates; far from zero for a regression."""
    age, income = frame["age"].to_numpy() / 50, np.nan_to_num(np.log(frame["income"].to_numpy()), nan=9.0)
    signal = age + income / 5 + 0.5 * (frame["city"] == "Berlin").fill_null(False).to_numpy()
    signal = signal + 0.3 * (frame["joined"].dt.month().to_numpy() > 6)
    if task is Task.REGRESSION:
        values: Array = 1000.0 + 50 * signal
        return values
    return np.digitize(signal, np.quantile(signal, np.linspace(0, 1, OUTPUTS[task] + 1)[1:-1]))


@cache
def train(task: Task, keys: tuple[str, ...], rows: int = 300, folds: int = 2, shift: float = 0.0) -> Trained:
    """Each algorithm fitted on `folds` parts of the table, all with the same weight."""
    frame = mixed_table(rows)
    y = target_of(frame, task) + (shift if task is Task.REGRESSION else 0)
    contract = Contract.learn(
        frame, FEATURES, task=task, target="score", classes=CLASSES[task], metric=DEFAULT_METRIC[task]
    )
    feeds, _ = contract.accept(frame)
    members, predictions = [], []
    for key in keys:
        row = ALGORITHMS[key]
        defaults: Json = row.defaults(shape_of(task, rows)) | {"encoding": row.encoding}
        few = {name: value for name, value in FEW.items() if name in defaults and row.family != "linear"}
        encoding = features.fit(row.encoding, contract, feeds)
        X = encoding.transform(feeds)
        for fold in range(folds):
            valid = np.arange(rows) % folds == fold
            parts = (X[~valid], y[~valid], None, X[valid], y[valid], None)
            table = FoldTable(*parts, task, OUTPUTS[task], contract.metric, encoding.categorical)
            estimator = row.fit(table, defaults | few, context())
            members.append(Member(encoding, estimator.freeze()))
            predictions.append(estimator.predict(X))
    return Trained(contract, feeds, y, tuple(members), tuple(predictions))
