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
CELLS = 4_000_000  # rows times trees that are walked at once

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]


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
        at = np.tile(self.roots, (len(X), 1))
        members = self._members()
        while (inside := at >= 0).any():
            rows, _ = np.nonzero(inside)
            split = at[inside]
            value = X[rows, self.feature[split]]
            at[inside] = np.where(self._goes(split, value, members), self.yes[split], self.no[split])
        return at

    def _goes(self, split: Ints, value: Matrix, members: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        mode, empty = self.mode[split], np.isnan(value)
        below = np.where(mode == LT, value < self.threshold[split], value <= self.threshold[split])
        if len(members):
            row = np.searchsorted(np.array(sorted(self.sets)), split)
            row[mode != IN] = 0
            code = np.clip(np.where(empty, -1, value), -1, members.shape[1]).astype(np.int64)
            known = (code == value) & (code >= 0) & (code < members.shape[1])
            below = np.where(mode == IN, known & members[row, np.where(known, code, 0)], below)
        return np.where(empty, self.missing_yes[split], below)

    def _members(self) -> npt.NDArray[np.bool_]:
        """One row for each IN split, in order of their numbers: which codes it holds."""
        widest = max((code for codes in self.sets.values() for code in codes), default=-1) + 1
        members = np.zeros((len(self.sets), widest), np.bool_)
        for row, split in enumerate(sorted(self.sets)):
            members[row, list(self.sets[split])] = True
        return members


def numbered(split: npt.NDArray[np.bool_]) -> Ints:
    """Nodes of one tree, of which some are splits: the number of each split, or ~number of each leaf."""
    return np.where(split, np.cumsum(split) - 1, ~(np.cumsum(~split) - 1))


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
        target: int = 0,
        mode: npt.ArrayLike = LEQ,
        sets: Mapping[int, Sequence[int]] | None = None,
    ) -> None:
        """Add one tree; split 0 is its root, numbers of children count inside the tree.

        What all leaves have in common goes into the base, so that float32 holds the rest of it more exactly.
        """
        leaves = np.asarray(values, np.float64).reshape(-1, self.n_outputs if self.shared else 1)
        common = leaves.mean(axis=0)
        self.base[... if self.shared else target] += common if self.shared else common[0]
        splits = len(np.asarray(feature))
        if not splits:
            return
        self._keep("roots", [self._splits])
        self._keep("feature", np.asarray(feature, np.int64))
        self._keep("threshold", floor32(np.asarray(threshold, np.float64)))
        self._keep("mode", np.broadcast_to(np.asarray(mode, np.uint8), splits))
        self._keep("missing_yes", np.broadcast_to(np.asarray(missing_yes, np.bool_), splits))
        for name, children in (("yes", yes), ("no", no)):
            child = np.asarray(children, np.int64)
            self._keep(name, np.where(child >= 0, child + self._splits, child - self._leaves))
        self._keep("values", leaves - common)
        self._keep("targets", np.full(len(leaves), target))
        self._sets |= {self._splits + split: tuple(map(int, codes)) for split, codes in (sets or {}).items()}
        self._splits += splits
        self._leaves += len(leaves)

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
