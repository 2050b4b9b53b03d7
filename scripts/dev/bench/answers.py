"""What a system answered for the rows held out, and how good that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from bench.tables import Table
from flowml.automl.metrics import METRICS
from flowml.storage.records import Task

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Answers:
    """Numbers, or for classes their probabilities in the order of `classes` and the labels chosen."""

    values: Array
    classes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


def texts(series: pl.Series) -> list[str]:
    """Labels as FlowML names them in its columns of probabilities."""
    whole = series.dtype.is_float() and bool((series == series.floor()).all())
    return (series.cast(pl.Int64) if whole else series).cast(pl.String).to_list()


def score(table: Table, truth: pl.Series, answers: Answers) -> float:
    """By the metric of the table. A class that was never trained has the probability 0."""
    metric = METRICS[table.metric]
    if table.task is Task.REGRESSION:
        return metric.score(truth.cast(pl.Float64).to_numpy(), answers.values.astype(np.float64), None)
    names = texts(truth)
    classes = sorted({*names, *answers.classes})
    places = {name: place for place, name in enumerate(classes)}
    chosen = np.zeros((len(names), len(classes)))
    if metric.needs == "labels" and answers.labels:
        chosen[np.arange(len(names)), [places[name] for name in answers.labels]] = 1.0
    else:
        chosen[:, [places[name] for name in answers.classes]] = answers.values
    return metric.score(np.array([places[name] for name in names]), chosen, None)
