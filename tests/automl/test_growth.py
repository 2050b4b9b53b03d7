"""Samples that grow: their sizes, who goes on, and which rows they hold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from flowml.automl.growth import FEWEST_ROWS, rungs, sample, survivors
from flowml.storage.records import Task
from tests.automl.algorithms.folds import shape_of


def test_what_can_be_learned_whole_is_not_sampled() -> None:
    shape = shape_of(Task.BINARY, rows=1_000_000)
    assert rungs(shape, lambda rows: rows / 1e6, 60.0) == ()
    assert rungs(shape_of(Task.BINARY, rows=5_000), lambda _: 1e6, 60.0) == ()


def test_sizes_rise_by_four_from_one_that_all_can_learn() -> None:
    shape = shape_of(Task.BINARY, rows=1_000_000)
    sizes = rungs(shape, lambda rows: rows / 5e3, 60.0)
    assert sizes[-1] == shape.train_rows
    assert sizes[0] / 5e3 <= 12.0
    assert all(3.9 < large / small < 4.1 for small, large in pairwise(sizes))
    assert min(rungs(shape, lambda rows: rows, 1.0)) == FEWEST_ROWS


def test_the_better_half_goes_on() -> None:
    assert survivors({"a": 0.3, "b": 0.1, "c": 0.2, "d": 0.4}) == ("b", "c")
    assert survivors({"a": 0.3}) == ("a",)


def test_samples_are_nested_and_keep_the_classes() -> None:
    y = np.repeat([0, 1, 2], [9000, 990, 10])
    small, large = sample(y, 3, 200, seed=1), sample(y, 3, 2000, seed=1)
    assert set(small) < set(large)
    counts = np.bincount(y[large], minlength=3)
    assert counts[0] > 1700
    assert 180 < counts[1] < 220
    assert np.bincount(y[small], minlength=3)[2] >= 1
    assert (np.diff(small) > 0).all()
    assert len(sample(np.random.default_rng(0).random(500), 0, 100, seed=1)) == 100
