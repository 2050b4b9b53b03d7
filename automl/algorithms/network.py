"""A small multilayer perceptron, trained here so that it can watch the deadline as boosting does.

AdamW on small batches; the learning rate falls along half a cosine over a given number of epochs, whatever
the clock says, so that a fit can be repeated. Now and then the validation loss of the averaged weights is
taken, and the best ones are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowml.automl.algorithms import choices, perceptron, squash
from flowml.automl.algorithms.links import LINKS, answers, softmax
from flowml.automl.algorithms.losses import validation_loss
from flowml.automl.algorithms.perceptron import Sizes
from flowml.automl.algorithms.row import ALL_TASKS, Algorithm, Cost, FitContext, FoldTable, Space
from flowml.automl.algorithms.stopping import Watch
from flowml.automl.fitted import Arrays, Fitted, pack
from flowml.automl.metrics import Array
from flowml.automl.shape import Shape
from flowml.storage.records import Json, Task

WAVES, MIXED = 12, 3
MOST_WAVED = 100  # numeric columns; with more, none enters as waves
MOST_WEIGHTS = 150_000  # of the first layer: what a file can bear
BATCH = (32, 256)  # rows, least and most
ROUND = 100  # steps between two looks at the validation part, or an epoch where that is less
PATIENCE = 16  # epochs without a gain
WARM_UP = 0.02  # of the steps, in which the learning rate rises
FIRST_MEAN, SECOND_MEAN, AVERAGE = 0.9, 0.99, 0.98  # what remains of old slopes, their squares, old weights
GAIN_RATE = 6.0  # the gains of the features learn so much faster
SMALL = 4_000  # rows up to which time is no matter
CLOSE = 0.1  # standard deviations within which an absolute error is rounded off


@dataclass(frozen=True)
class Network:
    arrays: Arrays
    task: Task
    rounds: int
    cut: bool

    def predict(self, X: Array) -> Array:
        return answers(self.task, perceptron.raw_scores(self.arrays, X))

    def freeze(self) -> Fitted:
        outputs = perceptron.outputs_of(self.arrays)
        return Fitted("network", LINKS[self.task], pack(self.arrays), outputs)


def fit(fold: FoldTable, params: Json, context: FitContext) -> Network:
    lesson = _Lesson.of(fold, params)
    watch = Watch(context, lesson.patience)
    training = _Training(lesson, params, context.seed)
    best = training.average
    for index in range(lesson.rounds):
        training.round()
        last = watch.step(index, validation_loss(fold, lesson.validate(training.average)))
        if watch.best == index:
            best = training.average.copy()
        if last:
            break
    parts = perceptron.views(best, lesson.sizes)
    arrays = {**lesson.scaling, **perceptron.packed(parts, lesson.sizes, lesson.waved), **lesson.units}
    return Network(arrays, fold.task, watch.rounds, watch.cut)


@dataclass(frozen=True)
class _Lesson:
    """What is learned from, and how long."""

    sizes: Sizes
    scaling: Arrays
    waved: Array  # columns
    X: Array  # squashed, float32
    y: Array  # (rows, outputs)
    weights: Array | None  # mean 1
    X_valid: Array
    units: Arrays  # `spread` and `middle` of the target
    task: Task
    absolute: bool
    batch: int
    steps: int  # of a round
    rounds: int
    patience: int  # rounds

    @classmethod
    def of(cls, fold: FoldTable, params: Json) -> _Lesson:
        scaling = squash.learn(fold.X)
        waved = np.flatnonzero((scaling["center"] != 0) | (scaling["scale"] != 1))
        waved = waved if len(waved) <= MOST_WAVED else waved[:0]
        y, units = _targets(fold)
        rows, columns = fold.X.shape
        sizes = Sizes(
            members=int(params["members"]),
            columns=columns,
            waved=len(waved),
            waves=WAVES,
            mixed=MIXED,
            width=max(8, min(int(params["width"]), MOST_WEIGHTS // (columns + MIXED * len(waved)))),
            layers=int(params["layers"]),
            outputs=y.shape[1],
        )
        batch = int(min(rows, max(BATCH[0], min(BATCH[1], rows // 16))))
        epoch = max(1, rows // batch)
        steps = min(epoch, max(ROUND, len(fold.y_valid) // batch))
        rounds = -(-int(params["epochs"]) * epoch // steps)
        return cls(
            sizes=sizes,
            scaling=scaling,
            waved=waved,
            X=squash.apply(scaling, fold.X).astype(np.float32),
            y=y,
            weights=None
            if fold.weights is None
            else (fold.weights / np.mean(fold.weights)).astype(np.float32),
            X_valid=squash.apply(scaling, fold.X_valid).astype(np.float32),
            units=units,
            task=fold.task,
            absolute=fold.absolute,
            batch=batch,
            steps=steps,
            rounds=rounds,
            patience=-(-PATIENCE * epoch // steps),
        )

    def validate(self, flat: Array) -> Array:
        """Raw scores of the validation part."""
        parts = perceptron.views(flat, self.sizes)
        pieces = []
        for start in range(0, len(self.X_valid), perceptron.CHUNK):
            rows = self.X_valid[None, start : start + perceptron.CHUNK]
            pieces.append(perceptron.forward(parts, self.sizes, self.waved, rows)[0].mean(axis=0))
        scores: Array = np.concatenate(pieces).astype(np.float64)
        return scores * self.units["spread"] + self.units["middle"]


def _targets(fold: FoldTable) -> tuple[Array, Arrays]:
    """What the scores should come to (rows, outputs), and the units that the scores are in."""
    middle, spread = 0.0, 1.0
    if fold.task is Task.MULTICLASS:
        y = np.eye(fold.outputs, dtype=np.float32)[fold.y]
    elif fold.task is Task.BINARY:
        y = fold.y.astype(np.float32)[:, None]
    else:
        middle, spread = float(np.average(fold.y, weights=fold.weights)), float(np.std(fold.y)) or 1.0
        y = ((fold.y - middle) / spread).astype(np.float32)[:, None]
    return y, {"spread": np.array(spread), "middle": np.array(middle)}


class _Training:
    """The weights on their way, in one flat array each."""

    def __init__(self, lesson: _Lesson, params: Json, seed: int) -> None:
        self._lesson = lesson
        self._rate, self._decay = float(params["learning_rate"]), float(params["decay"])
        self._dropout = np.float32(params["dropout"])
        self._random = np.random.default_rng(seed)
        self._step, self._last = 0, lesson.rounds * lesson.steps
        size = perceptron.length(lesson.sizes)
        self._flat, self._slopes, self._first, self._second, self._speed, self._decays = np.zeros(
            (6, size), np.float32
        )
        self._parts, self._slope_parts = (
            perceptron.views(flat, lesson.sizes) for flat in (self._flat, self._slopes)
        )
        self._begin(float(params["frequency"]))
        self.average = self._flat.copy()
        self._order = np.zeros((lesson.sizes.members, 0), np.int64)

    def _begin(self, frequency: float) -> None:
        """Random weights; the last layer starts small, so that all scores start near the middle."""
        draw, sizes = self._random, self._lesson.sizes
        speed, decays = (perceptron.views(flat, sizes) for flat in (self._speed, self._decays))
        self._speed[:] = 1.0
        speed["gain"][:] = GAIN_RATE
        self._parts["gain"][:] = 1.0
        if sizes.waved:
            waves = self._parts["frequency"]
            waves[:] = draw.normal(size=waves.shape) * (2 * np.pi * frequency)
            self._parts["phase"][:] = draw.uniform(-np.pi, np.pi, waves.shape)
            self._parts["mix"][:] = draw.normal(size=self._parts["mix"].shape) / np.sqrt(sizes.waves)
        for layer, width in enumerate(sizes.widths[:-1]):
            weight = self._parts[f"weight{layer}"]
            strength = 2.0 if layer < sizes.layers else 0.1
            weight[:] = draw.normal(size=weight.shape) * np.sqrt(strength / width)
            decays[f"weight{layer}"][:] = self._decay

    def round(self) -> None:
        for _ in range(self._lesson.steps):
            rows = self._next_rows()
            self._learn(rows)
            self._move()

    def _next_rows(self) -> Array:
        """Numbers of rows (networks, batch): each network sees all rows once, in an order of its own."""
        batch, count = self._lesson.batch, len(self._lesson.y)
        if self._order.shape[1] < batch:
            members = self._lesson.sizes.members
            self._order = np.stack([self._random.permutation(count) for _ in range(members)])
        rows, self._order = self._order[:, :batch], self._order[:, batch:]
        return rows

    def _learn(self, rows: Array) -> None:
        lesson = self._lesson
        keep = self._keep(rows.shape)
        scores, trace = perceptron.forward(self._parts, lesson.sizes, lesson.waved, lesson.X[rows], keep)
        slopes = self._slopes_of(scores, lesson.y[rows])
        if lesson.weights is not None:
            slopes = slopes * lesson.weights[rows][..., None]
        perceptron.backward(
            self._parts, self._slope_parts, lesson.sizes, trace, slopes / np.float32(lesson.batch)
        )

    def _keep(self, shape: tuple[int, ...]) -> Array | None:
        """For each hidden layer which values stay, made larger by what is dropped."""
        if self._dropout <= 0:
            return None
        sizes = self._lesson.sizes
        draws = self._random.random((sizes.layers, *shape, sizes.width), dtype=np.float32)
        return (draws >= self._dropout) / (1 - self._dropout)

    def _slopes_of(self, scores: Array, y: Array) -> Array:
        """Of the loss by the scores."""
        if self._lesson.task is Task.MULTICLASS:
            return softmax(scores) - y
        if self._lesson.task is Task.BINARY:
            return 0.5 * (1.0 + np.tanh(0.5 * scores)) - y
        if self._lesson.absolute:
            return np.clip((scores - y) / CLOSE, -1.0, 1.0)
        return 2.0 * (scores - y)

    def _move(self) -> None:
        """One step of AdamW, and of the averaged weights."""
        self._step += 1
        done = self._step / self._last
        rate = self._rate * 0.5 * (1 + np.cos(np.pi * done)) * min(1.0, done / WARM_UP)
        for mean, remains, news in (
            (self._first, FIRST_MEAN, self._slopes),
            (self._second, SECOND_MEAN, self._slopes**2),
        ):
            mean *= np.float32(remains)
            mean += np.float32(1 - remains) * news
        size = np.sqrt(self._second / np.float32(1 - SECOND_MEAN**self._step)) + np.float32(1e-8)
        change = self._first / np.float32(1 - FIRST_MEAN**self._step) / size
        change += self._decays * self._flat
        change *= self._speed
        self._flat -= np.float32(rate) * change
        remains = min(AVERAGE, self._step / (self._step + 9))
        self.average *= np.float32(remains)
        self.average += np.float32(1 - remains) * self._flat


# --- row --------------------------------------------------------------------------------------------------


def lighter(params: Json, share: float) -> Json:
    """One network instead of several, and fewer epochs."""
    members = max(1, round(int(params["members"]) * share))
    rest = min(1.0, share * int(params["members"]) / members)
    return {**params, "members": members, "epochs": max(3, int(int(params["epochs"]) * rest))}


def space(trial: Space, shape: Shape) -> Json:
    return {
        "members": _members(shape),
        "epochs": _epochs(shape),
        "width": trial.suggest_int("width", 32, 256, log=True),
        "layers": trial.suggest_int("layers", 1, 3),
        "learning_rate": trial.suggest_float("learning_rate", 1e-3, 3e-2, log=True),
        "decay": trial.suggest_float("decay", 1e-3, 3.0, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "frequency": trial.suggest_float("frequency", 0.03, 1.0, log=True),
        **choices.means_where_they_pay(shape, "onehot"),
        **choices.suggest_target(trial, shape),
    }


def defaults(shape: Shape) -> Json:
    return {
        "members": _members(shape),
        "epochs": _epochs(shape),
        "width": 64 if shape.train_rows < SMALL else 128,
        "layers": 2,
        "learning_rate": 0.015,
        "decay": 0.3,
        "dropout": 0.15,
        "frequency": 0.2,
        **choices.means_where_they_pay(shape, "onehot"),
        **choices.default_target(shape),
    }


def _members(shape: Shape) -> int:
    """More of them are a little better, and take as much longer."""
    return 4 if shape.train_rows < SMALL else 2 if shape.train_rows < 10 * SMALL else 1


def _epochs(shape: Shape) -> int:
    """Values take longer to learn than classes; many rows need fewer passes."""
    most = 80 if shape.task is Task.REGRESSION else 40
    return int(min(most, max(8, 1_000_000 / shape.train_rows)))


def _likely_epochs(shape: Shape, params: Json) -> float:
    """That are mostly kept."""
    if shape.task is Task.REGRESSION:
        return 60.0
    return 4 + 0.08 / float(params["learning_rate"])


def cost(shape: Shape, params: Json) -> Cost:
    """Fitted to measured times over rows, columns, networks, widths and classes."""
    columns = shape.onehot_columns
    waved = shape.numeric if shape.numeric <= MOST_WAVED else 0
    width, members = float(params["width"]), int(params["members"])
    wide = columns + MIXED * waved
    weights = width * (wide + (int(params["layers"]) - 1) * width + shape.outputs)
    a_row = 7e-11 * weights + 6e-9 * waved * WAVES + 2e-9 * width * int(params["layers"])
    epochs = min(float(params["epochs"]), PATIENCE + _likely_epochs(shape, params))
    batch = max(BATCH[0], min(BATCH[1], shape.train_rows / 16))
    a_step = 1e-4 + members * (batch * a_row + 8e-9 * weights)
    look = members * shape.valid_rows * a_row / 3
    seconds = 0.02 + epochs * (shape.train_rows / batch * a_step + look)
    memory = 8.0 * (shape.train_rows + shape.valid_rows) * columns + 40.0 * members * weights
    return Cost(seconds, memory)


MLP = Algorithm(
    key="mlp",
    label="Multilayer perceptron",
    family="network",
    package="numpy",
    tasks=ALL_TASKS,
    encoding="onehot",
    format="network",
    fit=fit,
    space=space,
    defaults=defaults,
    cost=cost,
    lighter=lighter,
)
