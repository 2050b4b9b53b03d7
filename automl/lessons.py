"""What the target taught about categories and words: a lesson for each fold, from its training rows alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from flowml.automl.contract import Contract, Feeds
from flowml.automl.features import means
from flowml.automl.features.block import Block
from flowml.automl.features.categories import Codebook
from flowml.automl.features.words import Found, Vocabulary, learn_words, vocabularies_of
from flowml.automl.metrics import Array
from flowml.automl.problem import Problem
from flowml.automl.splitters import Folds


@dataclass(frozen=True)
class Lesson:
    """`own` are the features of the rows that taught, `others` those of the rows to check."""

    blocks: tuple[Block, ...]
    own: Array
    others: Array


@dataclass
class Lessons:
    """Each lesson is learned once and kept: all encodings and trials share it."""

    problem: Problem
    folds: Folds
    contract: Contract
    feeds: Feeds
    logged: bool  # whether the means are of the logarithm of the target
    _learned: dict[int, Lesson] = field(default_factory=dict)

    def of(self, fold: int) -> Lesson | None:
        """None where no column has text or many categories."""
        if not self._books and not self._vocabularies:
            return None
        if fold not in self._learned:
            self._learned[fold] = self._learn(fold)
        return self._learned[fold]

    def _learn(self, fold: int) -> Lesson:
        problem, (train, valid) = self.problem, self.folds.pair(fold)
        y = np.log1p(problem.y[train]) if self.logged else problem.y[train]
        weights = np.ones(len(train)) if problem.weights is None else problem.weights[train]
        groups = None if problem.groups is None else problem.groups[train]
        part = means.deal(len(train), groups, np.random.default_rng([problem.seed, fold]))
        sides = means.sides_of(y, problem.classes)
        blocks, own, others = list[Block](), list[Array](), list[Array]()
        if self._books:
            places = [each[train] for each in self._places]
            learned, mine = means.learn(self._books, places, sides, weights, part)
            blocks.append(learned)
            own.append(mine)
            others.append(learned.look_up([each[valid] for each in self._places]))
        for vocabulary, found in zip(self._vocabularies, self._found, strict=True):
            words, mine = learn_words(vocabulary, found.of(train), sides, weights, part)
            blocks.append(words)
            own.append(mine)
            others.append(words.look_up(found.of(valid)))
        return Lesson(tuple(blocks), np.hstack(own), np.hstack(others))

    @cached_property
    def _books(self) -> tuple[Codebook, ...]:
        return means.books_of(self.contract, self.feeds)

    @cached_property
    def _places(self) -> list[means.Places]:
        return [means.places_of(book, self.feeds) for book in self._books]

    @cached_property
    def _vocabularies(self) -> tuple[Vocabulary, ...]:
        return vocabularies_of(self.contract, self.feeds)

    @cached_property
    def _found(self) -> list[Found]:
        return [vocabulary.found(self.feeds) for vocabulary in self._vocabularies]
