"""Why one row is predicted as it is: what each column adds, for any model, from its file alone.

Shapley values of the prediction itself (a probability or a value, so ensembles too), sampled over orders of
the columns (Strumbelj and Kononenko 2014): beginning with a row of the background, one column after another
takes the value of the row to explain, and each is credited with the change that it brings. Every order is
walked both ways, which makes the chance in them cancel (Mitchell et al. 2022). The changes of a walk add up,
so the contributions and the base value add up to the prediction exactly. The draws are fixed: the same row is
always explained alike.

The background travels with the model. It has quantiles of each column, shuffled by itself, so that its rows
are made up; and it holds no text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from flowml.automl.contract import MISSING_DATE, Contract, ContractColumn, Feeds, Kind, missing, rows_of, take
from flowml.automl.dependence import shown
from flowml.automl.metrics import Array
from flowml.storage.errors import ContractError
from flowml.storage.records import Json, Record, Task

BACKGROUND = "background"  # the name under which a model's file keeps it
MOST_ROWS, FEWEST_ROWS = 64, 4  # of the background
MOST_VALUES = 20_000  # of all columns of the background
SAMPLED_ROWS = 20_000  # of the table, that quantiles are taken of
AIM_S = 0.08  # that an explanation may take, as fast as the model was measured to answer


@dataclass(frozen=True)
class Contribution(Record):
    column: str
    value: Any  # of the row, as it was read
    contribution: float
    error: float  # standard error over the rows of the background


@dataclass(frozen=True)
class Contributions(Record):
    """`base` and all contributions add up to `prediction`; the largest contributions come first."""

    label: str  # the class whose probability is explained, or the target
    prediction: float
    base: float  # the mean prediction of the background
    columns: tuple[Contribution, ...]


class Answering(Protocol):
    """What is asked of a model: `serve.Predictor` has it."""

    contract: Contract

    def scores(self, feeds: Feeds) -> Array: ...

    def about(self, name: str) -> Any: ...


# --- the background ---------------------------------------------------------------------------------------


def background(contract: Contract, feeds: Feeds) -> Json:
    """{column: values}: of each column as often as it has them, shuffled by itself; texts are left out."""
    columns = [column for column in contract.columns if column.kind is not Kind.TEXT]
    count = int(np.clip(MOST_VALUES // max(1, len(columns)), FEWEST_ROWS, MOST_ROWS))
    rows = np.linspace(0, rows_of(feeds) - 1, min(rows_of(feeds), SAMPLED_ROWS)).astype(np.int64)
    found = {}
    for place, column in enumerate(columns):
        ordered = _ordered(column, feeds[column.feed][rows].ravel())
        quantiles = ordered[((np.arange(count) + 0.5) * len(ordered) / count).astype(np.int64)]
        shuffled = np.random.default_rng(place).permutation(quantiles)
        empty = missing(shuffled)
        found[column.name] = [
            None if gap else value for value, gap in zip(shuffled.tolist(), empty, strict=True)
        ]
    return found


def _ordered(column: ContractColumn, values: Array) -> Array:
    """Equal values side by side: numbers by size, categories by how frequent they are."""
    if column.kind is not Kind.STRING:
        return np.sort(values)
    names, codes, counts = np.unique(values.astype(str), return_inverse=True, return_counts=True)
    rank = np.argsort(np.argsort(-counts, kind="stable"))
    ordered: Array = names[np.argsort(-counts, kind="stable")][np.sort(rank[codes])].astype(object)
    return ordered


def _feeds_of(contract: Contract, stored: Json) -> Feeds:
    count = max((len(values) for values in stored.values()), default=0)
    return {
        column.feed: _feed(column, stored.get(column.name, [None] * count)) for column in contract.columns
    }


def _feed(column: ContractColumn, values: list[Any]) -> Array:
    gap: Any = {Kind.NUMBER: np.nan, Kind.DATETIME: MISSING_DATE}.get(column.kind, "")
    dtype = {Kind.NUMBER: np.float64, Kind.DATETIME: np.int64}.get(column.kind, object)
    return np.array([[gap if value is None else value] for value in values], dtype)


# --- one row ----------------------------------------------------------------------------------------------


def contributions(model: Answering, row: Mapping[str, Any], label: str | None = None) -> Contributions:
    """What each column adds to the probability of `label`, by default that of the answer, or to the value."""
    contract = model.contract
    stored = model.about(BACKGROUND)
    if stored is None:
        raise ContractError("The model's file has no background to compare a row with.", "Train it again.")
    feeds, _ = contract.accept_row(row)
    others = _feeds_of(contract, stored)
    count = _affordable(model, rows_of(others))
    answers = _walk(model, feeds, take(others, slice(0, count)))
    place = _place(contract, answers.row, label)
    change, error = answers.changes(place)
    order = np.argsort(-np.abs(change), kind="stable")
    told = [
        Contribution(
            column=contract.columns[j].name,
            value=shown(contract.columns[j], feeds[contract.columns[j].feed])[0],
            contribution=float(change[j]),
            error=float(error[j]),
        )
        for j in order
    ]
    name = contract.target if contract.task is Task.REGRESSION else contract.classes[place]
    return Contributions(name, float(answers.row[place]), float(answers.starts[:, place].mean()), tuple(told))


def _affordable(model: Answering, most: int) -> int:
    """Rows of the background that the measured speed of the model leaves time for."""
    card = model.about("card") or {}
    speed = float(card.get("rows_per_second") or 0.0)
    if not speed:
        return most
    return int(np.clip(AIM_S * speed / (2 * len(model.contract.columns)), FEWEST_ROWS, most))


def _place(contract: Contract, answer: Array, label: str | None) -> int:
    if label is None or contract.task is Task.REGRESSION:
        return int(answer.argmax())
    if label not in contract.classes:
        known = ", ".join(contract.classes[:20])
        raise ContractError(f"The model knows no class {label!r}.", f"Its classes: {known}.")
    return contract.classes.index(label)


@dataclass(frozen=True)
class _Answers:
    """Of all walks: two for each row of the background."""

    steps: Array  # (walks, columns + 1, outputs), from a row of the background to the row explained
    turn: Array  # (walks, columns): when each column takes its new value

    @property
    def starts(self) -> Array:
        return self.steps[:, 0]

    @property
    def row(self) -> Array:
        found: Array = self.steps[0, -1]
        return found

    def changes(self, place: int) -> tuple[Array, Array]:
        """Mean and standard error over the rows of the background, of each column."""
        along = self.steps[:, :, place]
        each = np.take_along_axis(along, self.turn + 1, 1) - np.take_along_axis(along, self.turn, 1)
        pairs = each.reshape(-1, 2, each.shape[1]).mean(axis=1)
        return pairs.mean(axis=0), pairs.std(axis=0) / np.sqrt(len(pairs))


def _walk(model: Answering, feeds: Feeds, others: Feeds) -> _Answers:
    count, names = rows_of(others), [column.feed for column in model.contract.columns]
    draw = np.random.default_rng(0)
    forward = np.stack([draw.permutation(len(names)) for _ in range(count)])
    turn = np.stack([forward, len(names) - 1 - forward], axis=1).reshape(2 * count, -1)
    passed = np.arange(1, len(names))  # the ends of a walk are asked for once
    asked = {}
    for j, name in enumerate(names):
        changed = (passed[None, :] > turn[:, j : j + 1]).reshape(-1, 1)
        between = np.where(changed, feeds[name], np.repeat(others[name], 2 * len(passed), axis=0))
        asked[name] = np.concatenate([between, others[name], feeds[name]])
    found = model.scores(asked).astype(np.float64).reshape(len(next(iter(asked.values()))), -1)
    inner = found[: -count - 1].reshape(2 * count, len(passed), -1)
    starts = np.repeat(found[-count - 1 : -1], 2, axis=0)[:, None]
    ends = np.repeat(found[None, -1:], 2 * count, axis=0)
    return _Answers(np.concatenate([starts, inner, ends], axis=1), turn)
