"""Learning from a sample that grows, where a table is too large for every algorithm to see all of it in time.

All algorithms begin on a small sample; the better half goes on to one that is four times as large, and so on
as far as the time goes (successive halving, Jamieson and Talwalkar 2016, with rows as the resource). Samples
are nested, and all are checked on the same rows, so that their scores compare.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flowml.automl.metrics import Array
from flowml.automl.shape import Shape

FEWEST_ROWS = 10_000  # of a sample; smaller tables are learned whole
MIDDLING = 8  # times the smallest sample: up to here a sample saves little, and a patient study is better off
MIDDLING_SHARE = 2.5  # times what is left, that all algorithms may take for such a table
FACTOR = 4
FIRST_SHARE = 0.2  # of the time, that all algorithms may take on the first sample
WHOLE_SHARE = 0.6  # of the time, that all algorithms may take for the whole table to be learned at once
SURVIVORS = 0.5  # of the algorithms, that go on to the next sample
FEWEST_SURVIVORS = 2


def rungs(shape: Shape, first_wave_s: Callable[[int], float], remaining_s: float) -> tuple[int, ...]:
    """Sizes of samples, in rows that a fold learns from; () if the table can be learned whole.

    `first_wave_s`: seconds that one trial of each algorithm takes on so many rows.
    """
    whole = shape.train_rows
    share = MIDDLING_SHARE if whole <= MIDDLING * FEWEST_ROWS else WHOLE_SHARE
    if whole <= FEWEST_ROWS or first_wave_s(whole) <= share * remaining_s:
        return ()
    sizes = [whole]
    while sizes[-1] > FEWEST_ROWS and first_wave_s(sizes[-1]) > FIRST_SHARE * remaining_s:
        sizes.append(max(FEWEST_ROWS, sizes[-1] // FACTOR))
    return tuple(reversed(sizes))


def survivors(losses: dict[str, float]) -> tuple[str, ...]:
    """The algorithms that go on, the best first."""
    count = max(FEWEST_SURVIVORS, round(SURVIVORS * len(losses)))
    return tuple(sorted(losses, key=lambda key: losses[key])[:count])


def sample(y: Array, classes: int, rows: int, seed: int) -> Array:
    """Places of `rows` of the entries of `y`, in order; a smaller sample is part of a larger one.

    Every class is there in its share, and at least once as long as there are as many rows as classes.
    """
    draw = np.random.default_rng(seed)
    if not classes:
        return np.sort(draw.permutation(len(y))[:rows])
    shuffled = draw.permutation(len(y))
    order = shuffled[np.argsort(y[shuffled], kind="stable")]
    _, starts, counts = np.unique(y[order], return_index=True, return_counts=True)
    place = np.arange(len(y)) - np.repeat(starts, counts)  # of each row inside its class
    turn = place / np.repeat(counts, counts)
    turn[starts] = -1.0
    return np.sort(order[np.argsort(turn, kind="stable")[:rows]])
