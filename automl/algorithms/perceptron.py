"""The mathematics of a multilayer perceptron: several networks side by side, whose scores are averaged.

Numeric features also enter as waves: cosines of learned frequencies and phases, mixed into a few values for
each feature, which lets a small network follow steps and bends. Hidden layers are `a * sigmoid(a)`. What is
trained lies in one array, of which each layer is a view, so that a step changes all of it at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from flowml.automl.algorithms import squash
from flowml.automl.fitted import Arrays
from flowml.automl.metrics import Array

CHUNK = 2_000  # rows that are predicted at once


@dataclass(frozen=True)
class Sizes:
    members: int
    columns: int
    waved: int  # columns that also enter as waves
    waves: int  # of each such column
    mixed: int  # values that they are mixed into
    width: int
    layers: int  # hidden ones
    outputs: int

    @property
    def widths(self) -> tuple[int, ...]:
        inner = (self.width,) * self.layers
        return (self.columns + self.waved * self.mixed, *inner, self.outputs)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of each part; the first axis numbers the networks."""
        parts: dict[str, tuple[int, ...]] = {"gain": (1, self.columns)}
        if self.waved:
            parts["frequency"] = parts["phase"] = (self.waved, 1, self.waves)
            parts["mix"], parts["mix_bias"] = (
                (self.waved, self.waves, self.mixed),
                (self.waved, 1, self.mixed),
            )
        for place, ends in enumerate(zip(self.widths, self.widths[1:], strict=False)):
            parts[f"weight{place}"], parts[f"bias{place}"] = ends, (1, ends[1])
        return {name: (self.members, *shape) for name, shape in parts.items()}


def views(flat: Array, sizes: Sizes) -> Arrays:
    """The parts of one flat array."""
    parts, start = {}, 0
    for name, shape in sizes.shapes.items():
        end = start + int(np.prod(shape))
        parts[name] = flat[start:end].reshape(shape)
        start = end
    return parts


def length(sizes: Sizes) -> int:
    return sum(int(np.prod(shape)) for shape in sizes.shapes.values())


@dataclass
class Pass:
    """What a pass over some rows leaves for the way back."""

    inputs: list[Array] = field(default_factory=list)  # of each layer
    slopes: list[Array] = field(default_factory=list)  # of each hidden layer
    rows: Array | None = None
    waved: Array | None = None
    angles: Array | None = None
    cosines: Array | None = None


def forward(
    parts: Arrays, sizes: Sizes, waved: Array, X: Array, keep: Array | None = None
) -> tuple[Array, Pass]:
    """Rows (networks, rows, columns) to scores; `keep`: factors of the values of each hidden layer."""
    trace = Pass(rows=X)
    hidden = X * parts["gain"]
    if sizes.waved:
        trace.waved = X[:, :, waved].transpose(0, 2, 1)[..., None]
        trace.angles = trace.waved * parts["frequency"] + parts["phase"]
        trace.cosines = np.cos(trace.angles)
        mixed = trace.cosines @ parts["mix"] + parts["mix_bias"]
        flat = mixed.transpose(0, 2, 1, 3).reshape(sizes.members, X.shape[1], -1)
        hidden = np.concatenate([hidden, flat], axis=2)
    for layer in range(sizes.layers):
        trace.inputs.append(hidden)
        raw = hidden @ parts[f"weight{layer}"] + parts[f"bias{layer}"]
        gate = 0.5 * (1.0 + np.tanh(0.5 * raw))
        hidden, slope = raw * gate, gate * (1.0 + raw * (1.0 - gate))
        if keep is not None:
            hidden, slope = hidden * keep[layer], slope * keep[layer]
        trace.slopes.append(slope)
    trace.inputs.append(hidden)
    return hidden @ parts[f"weight{sizes.layers}"] + parts[f"bias{sizes.layers}"], trace


def backward(parts: Arrays, slopes: Arrays, sizes: Sizes, trace: Pass, of_scores: Array) -> None:
    """Writes the slopes of the loss by each part into `slopes`."""
    back = of_scores
    for layer in range(sizes.layers, -1, -1):
        slopes[f"weight{layer}"][:] = trace.inputs[layer].transpose(0, 2, 1) @ back
        slopes[f"bias{layer}"][:] = back.sum(axis=1, keepdims=True)
        back = back @ parts[f"weight{layer}"].transpose(0, 2, 1)
        if layer:
            back = back * trace.slopes[layer - 1]
    assert trace.rows is not None
    slopes["gain"][:] = (back[:, :, : sizes.columns] * trace.rows).sum(axis=1, keepdims=True)
    if trace.cosines is None or trace.angles is None or trace.waved is None:
        return
    mixed = (
        back[:, :, sizes.columns :].reshape(*back.shape[:2], sizes.waved, sizes.mixed).transpose(0, 2, 1, 3)
    )
    slopes["mix"][:] = trace.cosines.transpose(0, 1, 3, 2) @ mixed
    slopes["mix_bias"][:] = mixed.sum(axis=2, keepdims=True)
    of_angles = (mixed @ parts["mix"].transpose(0, 1, 3, 2)) * -np.sin(trace.angles)
    slopes["phase"][:] = of_angles.sum(axis=2, keepdims=True)
    slopes["frequency"][:] = (of_angles * trace.waved).sum(axis=2, keepdims=True)


# --- what is kept -----------------------------------------------------------------------------------------


def packed(parts: Arrays, sizes: Sizes, waved: Array) -> Arrays:
    """Without the gains, which the first layer takes over."""
    first = parts["weight0"].copy()
    first[:, : sizes.columns] *= parts["gain"].transpose(0, 2, 1)
    kept = {name: part for name, part in parts.items() if name != "gain"} | {"weight0": first}
    return {name: part.astype(np.float32) for name, part in kept.items()} | {"waved": waved.astype(np.int64)}


def raw_scores(arrays: Arrays, X: Array) -> Array:
    """The mean of the networks' scores, scaled; counted in double from what the file holds."""
    parts = {name: part.astype(np.float64) for name, part in arrays.items() if name != "waved"}
    pieces = [_raw(arrays, parts, X[start : start + CHUNK]) for start in range(0, len(X), CHUNK)]
    empty = np.zeros((0, outputs_of(arrays)))
    scores: Array = np.concatenate([empty, *pieces]) * arrays["spread"] + arrays["middle"]
    return scores


def _raw(arrays: Arrays, parts: Arrays, X: Array) -> Array:
    hidden = squash.apply(arrays, X)
    if len(arrays["waved"]):
        angles = hidden.T[arrays["waved"], :, None] * parts["frequency"] + parts["phase"]
        mixed = np.cos(angles) @ parts["mix"] + parts["mix_bias"]
        flat = mixed.transpose(0, 2, 1, 3).reshape(len(mixed), len(X), -1)
        direct = np.broadcast_to(hidden, (len(mixed), *hidden.shape))
        hidden = np.concatenate([direct, flat], axis=2)
    layers = layers_of(arrays)
    for layer in range(layers):
        raw = hidden @ parts[f"weight{layer}"] + parts[f"bias{layer}"]
        hidden = raw * 0.5 * (1.0 + np.tanh(0.5 * raw))
    scores: Array = (hidden @ parts[f"weight{layers}"] + parts[f"bias{layers}"]).mean(axis=0)
    return scores


def outputs_of(arrays: Arrays) -> int:
    return int(arrays[f"bias{layers_of(arrays)}"].shape[-1])


def layers_of(arrays: Arrays) -> int:
    """Hidden ones."""
    return sum(name.startswith("weight") for name in arrays) - 1
