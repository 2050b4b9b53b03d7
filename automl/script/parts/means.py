"""What the target was like where a category or a word occurs, learned by each fold from its own rows."""

from __future__ import annotations

import numpy as np

from flowml.automl.features.means import Sums, deal, sides_of
from flowml.automl.metrics import Array, Weights
from flowml.automl.script.parts.words import Words

WORD_STEPS = 1024  # of which the part of a word is a multiple
Pair = tuple[Array, Array]  # of the rows to learn from, and of those to check


def lesson_of(
    coded: list[tuple[Array, int]],
    vocabularies: list[Words],
    pair: Pair,
    y: Array,
    classes: list[str],
    weights: Weights,
    groups: Array | None,
    seed: list[int],
) -> Pair:
    """Features of the rows to learn from and of those to check; `y`: of all rows."""
    train, valid = pair
    part = deal(len(train), None if groups is None else groups[train], np.random.default_rng(seed))
    sides, _ = sides_of(y[train], classes)
    weight = np.ones(len(train)) if weights is None else weights[train]
    found = [(np.empty((len(train), 0), np.float32), np.empty((len(valid), 0), np.float32))]
    found += [category_means(each, pair, sides, weight, part) for each in coded]
    found += [word_means(each, len(y), pair, sides, weight, part) for each in vocabularies]
    own, others = zip(*found, strict=True)
    return np.hstack(own), np.hstack(others)


def category_means(coded: tuple[Array, int], pair: Pair, sides: Array, weights: Array, part: Array) -> Pair:
    """Rows to learn from get the means that other rows taught, drawn towards the mean of all."""
    (train, valid), (numbers, size) = pair, coded
    places, values = numbers.astype(np.int64), sides - np.average(sides, axis=0, weights=weights)
    whole = Sums.of(places[train], values, weights, size)
    pull, own = whole.pull(), np.empty(values.shape)
    for number in range(int(part.max(initial=0)) + 1):
        mine = part == number
        others = whole.without(Sums.of(places[train][mine], values[mine], weights[mine], size))
        own[mine] = others.means(pull)[places[train][mine]]
    spread = spread_of(own)
    return (own / spread).astype(np.float32), (whole.means(pull) / spread).astype(np.float32)[places[valid]]


def spread_of(own: Array) -> Array:
    spread: Array = own.std(axis=0)
    spread[~(spread > 0)] = 1.0
    return spread


def word_means(words: Words, count: int, pair: Pair, sides: Array, weights: Array, part: Array) -> Pair:
    """Sums over the words of a text; the parts that words add are whole numbers of 1/1024."""
    train, valid = pair
    values = sides - np.average(sides, axis=0, weights=weights)
    rows, numbers = words_of(words, count, train)
    whole = Sums.of(numbers, values[rows], weights[rows], words.size)
    pull, own = whole.pull(), np.empty(values.shape)
    for number in range(int(part.max(initial=0)) + 1):
        mine = part[rows] == number
        others = whole.without(Sums.of(numbers[mine], values[rows[mine]], weights[rows[mine]], words.size))
        sums = summed(rows[mine], others.means(pull)[numbers[mine]], len(train))
        own[part == number] = sums[part == number]
    spread = spread_of(own)
    most = 32 * WORD_STEPS
    parts = np.clip(np.rint(whole.means(pull) / spread * WORD_STEPS), -most, most)
    there, found = words_of(words, count, valid)
    checked = summed(there, parts[found], len(valid)) / WORD_STEPS
    return (own / spread).astype(np.float32), checked.astype(np.float32)


def words_of(words: Words, count: int, rows: Array) -> tuple[Array, Array]:
    """The words of some texts: the place of each text among them, and the word."""
    order = np.full(count, -1)
    order[rows] = np.arange(len(rows))
    kept = order[words.rows] >= 0
    return order[words.rows[kept]], words.numbers[kept]


def summed(rows: Array, parts: Array, count: int) -> Array:
    return np.stack([np.bincount(rows, each, count) for each in parts.T], axis=1)
