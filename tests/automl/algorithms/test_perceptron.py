"""The mathematics of the small networks."""

from __future__ import annotations

import numpy as np
import pytest

from flowml.automl.algorithms import perceptron
from flowml.automl.algorithms.perceptron import Sizes


def test_slopes_are_those_of_small_steps() -> None:
    """Each part's slope against the change of a loss when one of its numbers moves a little."""
    sizes = Sizes(members=2, columns=4, waved=2, waves=3, mixed=2, width=5, layers=2, outputs=3)
    draw = np.random.default_rng(0)
    flat, slopes = draw.normal(size=perceptron.length(sizes)) * 0.5, np.zeros(perceptron.length(sizes))
    waved, X = np.array([1, 3]), draw.normal(size=(2, 6, 4))
    keep = (draw.random((2, 2, 6, 5)) > 0.3) / 0.7
    aim = draw.normal(size=(2, 6, 3))

    def loss(numbers: np.ndarray) -> float:
        scores, _ = perceptron.forward(perceptron.views(numbers, sizes), sizes, waved, X, keep)
        return float((scores * aim).sum())

    parts = perceptron.views(flat, sizes)
    _, trace = perceptron.forward(parts, sizes, waved, X, keep)
    perceptron.backward(parts, perceptron.views(slopes, sizes), sizes, trace, aim)
    for place in draw.choice(len(flat), 60, replace=False):
        step = np.zeros(len(flat))
        step[place] = 1e-5
        wanted = (loss(flat + step) - loss(flat - step)) / 2e-5
        assert abs(slopes[place] - wanted) < 1e-6 * max(1.0, abs(wanted))


def test_what_is_kept_scores_as_the_networks_did() -> None:
    sizes = Sizes(members=3, columns=4, waved=2, waves=3, mixed=2, width=8, layers=2, outputs=1)
    draw = np.random.default_rng(1)
    parts = perceptron.views((draw.normal(size=perceptron.length(sizes)) * 0.3).astype(np.float32), sizes)
    waved, Z = np.array([0, 2]), draw.normal(size=(50, 4)) * 1e-3
    scores, _ = perceptron.forward(parts, sizes, waved, np.broadcast_to(Z, (3, 50, 4)))
    plain = {"center": np.zeros(4, np.float32), "scale": np.ones(4, np.float32)}
    units = {"spread": np.array(2.0), "middle": np.array(5.0)}
    packed = plain | perceptron.packed(parts, sizes, waved) | units
    found = perceptron.raw_scores(packed, Z)  # so small that squashing leaves them as they are
    assert found == pytest.approx(scores.mean(axis=0) * 2.0 + 5.0, abs=1e-6)
