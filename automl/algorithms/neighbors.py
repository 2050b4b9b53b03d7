"""k nearest neighbours, weighted so that nothing jumps: rows that lie a hair apart are answered alike.

Rows are compared by their squashed features, each stretched by how much it says about the target. Around a
row lies a ball that reaches a little beyond its k-th neighbour; all stored rows in it count, the nearer the
more, and at its surface for nothing, so that it does not matter which of equally distant rows comes k-th.
Answers are drawn towards the mean of all, the more so the less there is in the ball.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from flowml.automl.algorithms import choices, squash
from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.fitted import Arrays, Fitted, pack
from flowml.automl.growth import sample
from flowml.automl.metrics import Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

MOST_ROWS = 4_000  # that a fold keeps: each answer looks at all of them
MOST_CELLS = 1_000_000  # rows times columns: each fold's file takes four times as many bytes
MOST_ANSWERS = 2_000_000  # rows times classes
FEWEST_ROWS = 400  # kept whatever the time
PROBE = 100  # rows whose answers tell how long all will take
REACH = 1.05  # of the ball, in squared distances of the k-th neighbour,
LEAST_REACH = 1e-4  # and in the squared spread of all rows
PIECE = 4_000_000  # distances that are counted at once


@dataclass(frozen=True)
class Neighbors:
    arrays: Arrays
    task: Task
    rounds: int  # rows that it kept, where time did not allow all
    cut: bool

    def predict(self, X: Array) -> Array:
        scores = raw_scores(self.arrays, X)
        return scores[:, 0] if self.task is Task.REGRESSION else scores

    def freeze(self) -> Fitted:
        link = "identity" if self.task is Task.REGRESSION else "probability"
        return Fitted("neighbors", link, pack(self.arrays), len(self.arrays["prior"]))


def raw_scores(arrays: Arrays, X: Array) -> Array:
    """Counted in double from what the file holds."""
    vectors, stretch = arrays["vectors"].astype(np.float64), arrays["stretch"].astype(np.float64)
    shares, answers = arrays["shares"].astype(np.float64), arrays["answers"].astype(np.float64)
    squares = (vectors**2).sum(axis=1)
    pieces = [np.zeros((0, len(arrays["prior"])))]
    rows = max(1, PIECE // len(vectors))
    for start in range(0, len(X), rows):
        Z = squash.apply(arrays, X[start : start + rows]) * stretch
        distances = (Z**2).sum(axis=1, keepdims=True) + squares - 2.0 * (Z @ vectors.T)
        reach = _reach(distances, arrays)
        near = np.maximum(0.0, reach - distances) / reach * shares
        total = near.sum(axis=1, keepdims=True) + arrays["strength"]
        pieces.append((near @ answers + arrays["strength"] * arrays["prior"]) / total)
    scores: Array = np.concatenate(pieces) * arrays["spread"] + arrays["middle"]
    return scores


def _reach(distances: Array, arrays: Arrays) -> Array:
    place = int(arrays["k"]) - 1
    farthest = np.partition(distances, place, axis=1)[:, place : place + 1]
    reach: Array = np.maximum(0.0, farthest) * REACH + arrays["least_reach"]
    return reach


def fit(fold: FoldTable, params: Json, context: FitContext) -> Neighbors:
    scaling = squash.learn(fold.X)
    Z = squash.apply(scaling, fold.X).astype(np.float32)
    weights = np.ones(len(Z)) if fold.weights is None else fold.weights / np.mean(fold.weights)
    answers, units = _answers(fold)
    stretch = _relevance(Z, answers, weights) ** float(params["relevance"])
    Z *= stretch
    prior = np.average(answers, axis=0, weights=weights)

    def keep(rows: int) -> Arrays:
        chosen = sample(fold.y, 0 if fold.task is Task.REGRESSION else fold.outputs, rows, context.seed)
        return {
            **scaling,
            **units,
            "stretch": stretch,
            "vectors": Z[chosen],
            "shares": weights[chosen].astype(np.float32),
            "answers": answers[chosen],
            "prior": prior,
            "strength": np.array(float(params["strength"])),
            "k": np.array(min(int(params["k"]), rows)),
            "least_reach": np.array(LEAST_REACH * float(Z.var(axis=0).sum()) + 1e-9),
        }

    wanted = most_rows(len(Z), Z.shape[1], fold.outputs, int(params["rows"]))
    rows = min(wanted, context.rounds or _in_time(keep(wanted), fold.X_valid, context))
    cut = rows < wanted
    return Neighbors(keep(rows), fold.task, rows if cut else 0, cut)


def most_rows(rows: int, columns: int, outputs: int, asked: int) -> int:
    most = min(MOST_CELLS // max(1, columns), MOST_ANSWERS // outputs)
    return min(rows, asked, max(FEWEST_ROWS, most))


def _answers(fold: FoldTable) -> tuple[Array, Arrays]:
    """Of each row (rows, outputs): its class, or its value in the units that come with them."""
    if fold.task is not Task.REGRESSION:
        return np.eye(fold.outputs, dtype=np.int8)[fold.y], {"spread": np.array(1.0), "middle": np.array(0.0)}
    middle, spread = float(np.average(fold.y, weights=fold.weights)), float(np.std(fold.y)) or 1.0
    values = ((fold.y - middle) / spread).astype(np.float32)[:, None]
    return values, {"spread": np.array(spread), "middle": np.array(middle)}


def _relevance(Z: Array, answers: Array, weights: Array) -> Array:
    """Of each column, at most 1: the root of the share of the answers' variance that a line explains."""
    centred = Z - np.average(Z, axis=0, weights=weights)
    away = (answers - np.average(answers, axis=0, weights=weights)) * weights[:, None]
    moments = (centred.T @ away.astype(np.float32)).astype(np.float64) / len(Z)
    explained = (moments**2).sum(axis=1) / np.maximum((centred**2).mean(axis=0), 1e-12)
    chance = float((away**2).mean(axis=0).sum()) / len(Z)  # what a column of noise would explain
    found = np.sqrt(np.maximum(explained, chance))
    relevance: Array = (found / max(float(found.max(initial=0.0)), 1e-12)).astype(np.float32)
    return relevance


def _in_time(arrays: Arrays, X_valid: Array, context: FitContext) -> int:
    """As many rows as the time allows, by the time that a few answers take."""
    wanted = len(arrays["vectors"])
    if wanted <= FEWEST_ROWS or len(X_valid) <= PROBE:
        return wanted
    began = time.monotonic()
    raw_scores(arrays, X_valid[:PROBE])
    whole = (time.monotonic() - began) * len(X_valid) / PROBE
    return int(min(wanted, max(FEWEST_ROWS, wanted * context.remaining / (1.5 * whole))))


# --- row --------------------------------------------------------------------------------------------------


def lighter(params: Json, share: float) -> Json:
    return {**params, "rows": max(FEWEST_ROWS, int(int(params["rows"]) * share))}


def space(trial: Space, shape: Shape) -> Json:
    return {
        "rows": MOST_ROWS,
        "k": trial.suggest_int("k", 2, 200, log=True),
        "relevance": trial.suggest_float("relevance", 0.0, 2.0),
        "strength": trial.suggest_float("strength", 0.01, 10.0, log=True),
        **choices.means_where_they_pay(shape, "onehot"),
        **choices.suggest_target(trial, shape),
    }


def defaults(shape: Shape) -> Json:
    return {
        "rows": MOST_ROWS,
        "k": 40 if shape.task is Task.BINARY else 10,
        "relevance": 1.0,
        "strength": 0.3,
        **choices.means_where_they_pay(shape, "onehot"),
        **choices.default_target(shape),
    }


def cost(shape: Shape, params: Json) -> Cost:
    """Fitted to measured times over rows, columns and classes: nearly all of it is answering."""
    columns, outputs = shape.onehot_columns, max(1, shape.classes)
    kept = most_rows(shape.train_rows, columns, outputs, int(params["rows"]))
    learning = shape.train_rows * (2e-8 * columns + 3e-10 * columns * outputs + 1e-8 * outputs)
    answering = kept * shape.valid_rows * (1e-8 + 7e-11 * columns + 4e-11 * outputs)
    memory = 32.0 * PIECE + 16.0 * shape.train_rows * columns + 9.0 * shape.train_rows * outputs
    return Cost(0.003 + learning + answering, memory)


K_NEAREST_NEIGHBORS = Algorithm(
    key="k_nearest_neighbors",
    label="k nearest neighbours",
    family="neighbors",
    package="numpy",
    tasks=ALL_TASKS,
    encoding="onehot",
    format="neighbors",
    fit=fit,
    space=space,
    defaults=defaults,
    cost=cost,
    lighter=lighter,
)
