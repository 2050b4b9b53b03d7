"""A table made ready for a study: checked, split, turned into feeds. Encodings are computed once and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from flowml.automl import features
from flowml.automl.algorithms import algorithms_for
from flowml.automl.contract import Contract, Feeds, Kind, Surprise
from flowml.automl.features import SUPERVISED, Encoding, base_of
from flowml.automl.lessons import Lessons
from flowml.automl.metrics import Array, Weights
from flowml.automl.problem import Problem, define
from flowml.automl.shape import Shape
from flowml.automl.splitters import Folds, split
from flowml.storage.errors import FileError
from flowml.storage.records import DatasetSchema, Finding, JobSpec, Json, Severity, Task

TAKEN_AS_MISSING = "taken as missing"  # how the contract tells of such values
MOST_FINDINGS = 20
PIECE = 20_000  # rows
SKEWED = 1.0  # skewness of a target from which its logarithm is tried


@dataclass
class Prepared:
    """What all trials of a study share in one process."""

    problem: Problem
    folds: Folds
    contract: Contract
    feeds: Feeds
    shape: Shape
    spec: JobSpec
    table: Path | None = None  # the file that it came from
    about: Json = field(default_factory=dict)  # what the model's file says of the table, beside the contract
    _encoded: dict[str, tuple[Array, Encoding]] = field(default_factory=dict)
    _supervised: dict[tuple[str, int], Encoding] = field(default_factory=dict)

    def fold(self, key: str, index: int) -> tuple[Array, Array]:
        """The features of the rows that a fold learns from, and of those that it is checked on."""
        matrix, _ = self._matrix(key)
        train, valid = self.folds.pair(index)
        lesson = self._lessons.of(index) if key in SUPERVISED else None
        if lesson is None:
            return matrix[train], matrix[valid]
        return _beside(matrix, train, lesson.own), _beside(matrix, valid, lesson.others)

    def encoding(self, key: str, index: int) -> Encoding:
        """How raw columns become the features of a fold: the same for all folds, unless it is supervised."""
        _, base = self._matrix(key)
        lesson = self._lessons.of(index) if key in SUPERVISED else None
        if lesson is None:
            return base
        if (key, index) not in self._supervised:
            self._supervised[key, index] = Encoding(key, (*base.blocks, *lesson.blocks), supervised=True)
        return self._supervised[key, index]

    def _matrix(self, key: str) -> tuple[Array, Encoding]:
        """All rows as float32 features, without what the target teaches, and what made them."""
        base = base_of(key)
        if base not in self._encoded:
            encoding = features.fit(base, self.contract, self.feeds)
            self._encoded[base] = (encoding.transform(self.feeds), encoding)
        return self._encoded[base]

    @cached_property
    def _lessons(self) -> Lessons:
        return Lessons(self.problem, self.folds, self.contract, self.feeds, self.shape.skewed)

    @cached_property
    def data(self) -> Json:
        """Which table this is."""
        digest = ""
        if self.table is not None:
            with self.table.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"sha256": digest, "rows": self.problem.rows, "dataset": self.spec.dataset_id}

    @property
    def checked(self) -> tuple[Array, Weights]:
        """Targets and weights of the rows that out-of-fold predictions are about."""
        rows, weights = self.folds.rows, self.problem.weights
        return self.problem.y[rows], None if weights is None else weights[rows]


def prepare(table: Path, schema: DatasetSchema, spec: JobSpec) -> Prepared:
    """Read the Parquet file of a dataset and make it ready for the job."""
    try:
        frame = pl.read_parquet(table)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise FileError(
            f"The dataset's file {table.name} cannot be read: {error}.", "Upload it again."
        ) from error
    prepared = prepare_frame(frame, schema, spec)
    prepared.table = table
    return prepared


def prepare_frame(frame: pl.DataFrame, schema: DatasetSchema, spec: JobSpec) -> Prepared:
    problem = define(frame, schema, spec)
    algorithms_for(problem.task, spec.algorithms)
    folds = split(problem, spec)
    contract = Contract.learn(
        problem.frame,
        problem.features,
        task=problem.task,
        target=problem.target,
        classes=problem.classes,
        label_type=problem.label_type,
        metric=problem.metric,
    )
    feeds, warnings = contract.accept(problem.frame)
    problem = replace(problem, findings=(*problem.findings, *_unreadable(warnings.surprises)))
    problem = replace(problem, frame=problem.frame.clear())  # the feeds hold all of it
    return Prepared(problem, folds, contract, _interned(feeds), shape_of(problem, folds, contract), spec)


def _beside(matrix: Array, rows: Array, features: Array) -> Array:
    """Some rows of a matrix with further features, put together piece by piece: it may be large."""
    width = matrix.shape[1]
    joined: Array = np.empty((len(rows), width + features.shape[1]), np.float32)
    for start in range(0, len(rows), PIECE):
        joined[start : start + PIECE, :width] = matrix[rows[start : start + PIECE]]
    joined[:, width:] = features
    return joined


def _interned(feeds: Feeds) -> Feeds:
    """The same feeds with each distinct text in memory once."""
    for name, values in feeds.items():
        if values.dtype == object:
            known = dict[str, str]()
            flat = values.ravel()
            flat[:] = [known.setdefault(text, text) for text in flat]
            feeds[name] = flat.reshape(-1, 1)
    return feeds


def _unreadable(surprises: Iterable[Surprise]) -> list[Finding]:
    """Values that are there but cannot be learned from, such as infinite ones."""
    return [
        Finding(
            "unreadable_values",
            Severity.WARNING,
            f"In {len(each.rows):,} rows {each.column!r} is {each.message}.",
            column=each.column,
            evidence={"rows": len(each.rows)},
        )
        for each in surprises
        if each.message.endswith(TAKEN_AS_MISSING)
    ][:MOST_FINDINGS]


def shape_of(problem: Problem, folds: Folds, contract: Contract) -> Shape:
    cards = [len(column.categories) for column in contract.columns if column.kind is Kind.STRING]
    trees, linear = features.widths(contract)
    train, valid = (round(float(np.mean([len(pair[i]) for pair in folds.pairs]))) for i in (0, 1))
    return Shape(
        rows=problem.rows,
        columns=trees,
        texts=sum(column.kind is Kind.TEXT for column in contract.columns),
        numeric=len(contract.columns) - len(cards),
        categorical=len(cards),
        max_cardinality=max(cards, default=0),
        onehot_columns=linear,
        classes=len(problem.classes),
        folds=len(folds.pairs),
        kept=len(folds.kept),
        train_rows=train,
        valid_rows=valid,
        task=problem.task,
        metric=problem.metric,
        direction=problem.direction,
        skewed=_skewed(problem),
        weighted=problem.weights is not None,
    )


def _skewed(problem: Problem) -> bool:
    if problem.task is not Task.REGRESSION or problem.y.min() < 0:
        return False
    centred = problem.y - problem.y.mean()
    return bool(np.mean(centred**3) > SKEWED * np.mean(centred**2) ** 1.5)
