"""A forest as plain arrays: what every tree library is read into, and what is written as ONNX.

Features are float32. A split sends a row to `yes` where `x <= threshold` (LEQ), `x < threshold` (LT) or x is
in its set of codes (IN). Children are numbers of splits, or ~n for leaf n.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from flowml.automl.fitted import floor32

LEQ, LT, IN = 0, 1, 6  # as the operator TreeEnsemble numbers them
CELLS = 300_000  # rows times trees that are walked at once: as many as a core has at hand

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
Counts = Ints | Sequence[int]  # of something, tree by tree


@dataclass(frozen=True)
class Lookup:
    """Further features from the codes of one feature: a row of `table` for each code.

    Codes beyond the table take its last row.
    """

    feature: int
    table: Matrix

    def apply(self, X: Matrix) -> Matrix:
        codes = np.clip(X[:, self.feature].astype(np.int64), 0, len(self.table) - 1)
        return self.table[codes]


@dataclass(frozen=True)
class Forest:
    """Leaf n adds `values[n]` to output `targets[n]`, or to all outputs where `targets` is None."""

    feature: Ints
    threshold: Matrix
    mode: npt.NDArray[np.uint8]
    yes: Ints
    no: Ints
    missing_yes: npt.NDArray[np.bool_]
    sets: dict[int, tuple[int, ...]]  # codes of each IN split
    roots: Ints  # all of them splits
    values: Floats  # (leaves, 1), or (leaves, outputs)
    targets: Ints | None
    base: Floats  # (outputs,), added once
    lookups: tuple[Lookup, ...] = ()  # features that follow those of the matrix

    @property
    def n_outputs(self) -> int:
        return len(self.base)

    @property
    def n_trees(self) -> int:
        return len(self.roots)

    def only(self, output: int) -> Forest:
        """The same trees for one of several outputs that share every leaf."""
        if self.targets is not None:
            raise ValueError("the outputs of this forest do not share its leaves")
        targets = np.zeros(len(self.values), np.int64)
        kept = slice(output, output + 1)
        return replace(self, values=self.values[:, kept], targets=targets, base=self.base[kept])

    def tree_of_split(self) -> Ints:
        """Splits of a tree stand together, tree after tree."""
        found: Ints = np.searchsorted(self.roots, np.arange(len(self.feature)), side="right") - 1
        return found

    def tree_of_leaf(self) -> Ints:
        of_split, found = self.tree_of_split(), np.zeros(len(self.values), np.int64)
        for children in (self.yes, self.no):
            found[~children[children < 0]] = of_split[children < 0]
        return found

    def raw(self, X: Matrix) -> Floats:
        """The raw scores (rows, outputs), counted in Python."""
        X = np.concatenate([X, *(lookup.apply(X) for lookup in self.lookups)], axis=1)
        step = max(1, CELLS // max(1, self.n_trees))
        pieces = [self._walk(X[start : start + step]) for start in range(0, len(X), step)]
        return np.concatenate([np.zeros((0, self.n_outputs)), *pieces])

    def _walk(self, X: Matrix) -> Floats:
        scores = np.tile(self.base, (len(X), 1))
        if not self.n_trees:
            return scores
        leaves = ~self._leaves(X)
        if self.targets is None:
            shared: Floats = scores + self.values[leaves].sum(axis=1)
            return shared
        tree_targets = self.targets[leaves[0]]  # every leaf of a tree has the target of the tree
        for output in range(self.n_outputs):
            scores[:, output] += self.values[leaves[:, tree_targets == output], 0].sum(axis=1)
        return scores

    def _leaves(self, X: Matrix) -> Ints:
        """Where each row ends in each tree, as ~leaf."""
        cells, limit, members = X.ravel(), self._limits(), self._members()
        ends = np.empty(len(X) * self.n_trees, np.int64)
        place, split = np.arange(len(ends)), np.tile(self.roots, len(X))
        row = place // self.n_trees * X.shape[1]
        while len(place):
            value = cells[row + self.feature[split]]
            goes = value <= limit[split]
            if len(members):
                goes = np.where(self.mode[split] == IN, self._holds(split, value, members), goes)
            empty = np.isnan(value)
            goes[empty] = self.missing_yes[split[empty]]
            child = np.where(goes, self.yes[split], self.no[split])
            inside = child >= 0
            ends[place[~inside]] = child[~inside]
            place, split, row = place[inside], child[inside], row[inside]
        return ends.reshape(len(X), self.n_trees)

    def _limits(self) -> Matrix:
        """The greatest float32 that goes to `yes`."""
        with np.errstate(over="ignore"):  # below the least number is minus infinity
            below = np.nextafter(self.threshold, np.float32(-np.inf))
        return np.where(self.mode == LT, below, self.threshold)

    def _holds(self, split: Ints, value: Matrix, members: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Whether the code is in the set of an IN split; of other splits it tells nothing."""
        row = np.searchsorted(np.array(sorted(self.sets)), split)
        row[self.mode[split] != IN] = 0
        code = np.clip(np.where(np.isnan(value), -1, value), -1, members.shape[1]).astype(np.int64)
        known = (code == value) & (code >= 0) & (code < members.shape[1])
        found: npt.NDArray[np.bool_] = known & members[row, np.where(known, code, 0)]
        return found

    def _members(self) -> npt.NDArray[np.bool_]:
        """One row for each IN split, in order of their numbers: which codes it holds."""
        widest = max((code for codes in self.sets.values() for code in codes), default=-1) + 1
        members = np.zeros((len(self.sets), widest), np.bool_)
        for row, split in enumerate(sorted(self.sets)):
            members[row, list(self.sets[split])] = True
        return members


def numbered(split: npt.NDArray[np.bool_], nodes: Counts) -> Ints:
    """Of the nodes of all trees, of which some are splits: the number of each split, or ~number of each leaf.

    They count inside each tree; `nodes`: how many it has.
    """
    of_tree = np.repeat(np.arange(len(nodes)), nodes)
    splits, leaves = starts(per_tree(split, nodes)), starts(per_tree(~split, nodes))
    number: Ints = np.where(
        split, np.cumsum(split) - 1 - splits[of_tree], ~(np.cumsum(~split) - 1 - leaves[of_tree])
    )
    return number


def starts(counts: Counts) -> Ints:
    """Where each of several runs begins that stand one after another."""
    ends: Ints = np.cumsum(counts, dtype=np.int64)
    return ends - np.asarray(counts, np.int64)


def per_tree(marked: npt.NDArray[np.bool_], nodes: Counts) -> Ints:
    """How many nodes of each tree are marked; every tree has one node at least."""
    return (
        np.add.reduceat(marked.astype(np.int64), starts(nodes)) if np.size(nodes) else np.zeros(0, np.int64)
    )


@dataclass
class Planter:
    """Collects trees into a forest. Thresholds are rounded down to float32, which changes no decision."""

    n_outputs: int
    shared: bool = False  # every leaf holds a value for each output
    base: Floats = field(init=False)
    _splits: int = 0
    _leaves: int = 0
    _parts: dict[str, list[Any]] = field(default_factory=dict)
    _sets: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.base = np.zeros(self.n_outputs)

    def plant(
        self,
        feature: npt.ArrayLike,
        threshold: npt.ArrayLike,
        yes: npt.ArrayLike,
        no: npt.ArrayLike,
        missing_yes: npt.ArrayLike,
        values: npt.ArrayLike,
        *,
        target: npt.ArrayLike = 0,
        mode: npt.ArrayLike = LEQ,
        sets: Mapping[int, Sequence[int]] | None = None,
        splits: npt.ArrayLike | None = None,
    ) -> None:
        """Add a tree; split 0 is its root, numbers of children count inside the tree.

        With `splits`, how many each has, it is several trees that stand one after another; `target` may then
        be one for each, and `sets` are by the number of the split in all of them.

        What all leaves of a tree have in common goes into the base, so that float32 holds the rest of it more
        exactly.
        """
        counts = np.atleast_1d(np.asarray(np.size(feature) if splits is None else splits, np.int64))
        if not len(counts):
            return
        leaves = np.asarray(values, np.float64).reshape(-1, self.n_outputs if self.shared else 1)
        of_tree = np.repeat(np.arange(len(counts)), counts + 1)  # a binary tree has one leaf more than splits
        common = np.add.reduceat(leaves, starts(counts + 1), axis=0) / (counts + 1)[:, None]
        targets = np.broadcast_to(np.asarray(target, np.int64), len(counts))
        if self.shared:
            self.base += common.sum(axis=0)
        else:
            np.add.at(self.base, targets, common[:, 0])
        grown = counts[of_tree] > 0
        self._keep("values", (leaves - common[of_tree])[grown])
        self._keep("targets", targets[of_tree][grown])
        counts = counts[counts > 0]
        first, first_leaf = self._splits + starts(counts), self._leaves + starts(counts + 1)
        self._keep("roots", first)
        self._keep("feature", np.asarray(feature, np.int64))
        self._keep("threshold", floor32(np.asarray(threshold, np.float64)))
        self._keep("mode", np.broadcast_to(np.asarray(mode, np.uint8), np.size(feature)))
        self._keep("missing_yes", np.broadcast_to(np.asarray(missing_yes, np.bool_), np.size(feature)))
        for name, children in (("yes", yes), ("no", no)):
            child = np.asarray(children, np.int64)
            inside = np.repeat(first, counts), np.repeat(first_leaf, counts)
            self._keep(name, np.where(child >= 0, child + inside[0], child - inside[1]))
        self._sets |= {self._splits + split: tuple(map(int, codes)) for split, codes in (sets or {}).items()}
        self._splits += int(counts.sum())
        self._leaves += int((counts + 1).sum())

    def forest(self, lookups: tuple[Lookup, ...] = ()) -> Forest:
        width = self.n_outputs if self.shared else 1
        return Forest(
            feature=self._joined("feature", np.int64),
            threshold=self._joined("threshold", np.float32),
            mode=self._joined("mode", np.uint8),
            yes=self._joined("yes", np.int64),
            no=self._joined("no", np.int64),
            missing_yes=self._joined("missing_yes", np.bool_),
            sets=self._sets,
            roots=self._joined("roots", np.int64),
            values=self._joined("values", np.float64).reshape(-1, width),
            targets=None if self.shared else self._joined("targets", np.int64),
            base=self.base,
            lookups=lookups,
        )

    def _keep(self, name: str, part: npt.ArrayLike) -> None:
        self._parts.setdefault(name, []).append(part)

    def _joined(self, name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        parts = self._parts.get(name)
        return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype)
