"""PORTFOLIO: strong configurations across families, tried in order before the search learns anything.

The first wave has one of each algorithm, the cheapest for the size of the table first; the second wave adds
variants that differ in what they find: shallow and deep, random splits, the logarithm of the target.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flowml.automl.algorithms import ALGORITHMS, choices
from flowml.automl.shape import Shape
from flowml.storage.records import Json


@dataclass(frozen=True)
class Entry:
    """`changes` are made to the algorithm's defaults, where those have such a param."""

    algorithm: str
    changes: Json = field(default_factory=dict)
    wave: int = 2
    needs: str = ""  # a column of Shape that must not be 0
    rows: int | None = None  # to learn from; None: all


PORTFOLIO = (
    Entry("logistic", wave=1),
    Entry("ridge", wave=1),
    Entry("lightgbm", wave=1),
    Entry("catboost", wave=1),
    Entry("xgboost", wave=1),
    Entry("extra_trees", wave=1),
    Entry("random_forest", wave=1),
    Entry("lightgbm", {"splits": "random", "num_leaves": 63, "feature_fraction": 0.9}),
    Entry("catboost", {"depth": 4, "learning_rate": 0.1, "l2_leaf_reg": 1.0}),
    Entry("catboost", {"target": "log"}, needs="skewed"),
    Entry("lightgbm", {"target": "log"}, needs="skewed"),
    Entry("lightgbm", {"encoding": "ordinal", "num_leaves": 6, "learning_rate": 0.08}),
    Entry("xgboost", {"max_depth": 3, "learning_rate": 0.1, "colsample_bytree": 0.7}),
    Entry("catboost", {"depth": 8, "rsm": 0.6, "l2_leaf_reg": 6.0, "learning_rate": 0.05}),
    Entry("extra_trees", {"max_features": 0.9, "min_samples_leaf": 2, "criterion": "entropy"}),
    Entry("random_forest", {"max_features": 0.6, "min_samples_leaf": 3, "criterion": "entropy"}),
    Entry("catboost", {"one_hot_max_size": 2}, needs="categorical"),
    Entry("catboost", {"encoding": "ordinal", "learning_rate": 0.08}, needs="categorical"),
    Entry("logistic", {"C": 0.05}),
    Entry("xgboost", {"max_depth": 8, "colsample_bytree": 0.5, "subsample": 0.7, "min_child_weight": 10.0}),
    Entry("elastic_net"),
    Entry("lasso"),
    Entry("gradient_boosting"),
    Entry("hist_gradient_boosting"),
    Entry("mlp"),
    Entry("linear_svm"),
    Entry("svm"),
    Entry("decision_tree"),
    Entry("ada_boost"),
    Entry("k_nearest_neighbors"),
    Entry("gaussian_nb"),
)


def portfolio(shape: Shape, algorithms: tuple[str, ...]) -> tuple[Entry, ...]:
    """The entries that serve the problem, with whole params."""
    entries: list[Entry] = []
    for entry in PORTFOLIO:
        if entry.algorithm in algorithms and (not entry.needs or getattr(shape, entry.needs)):
            defaults = ALGORITHMS[entry.algorithm].defaults(shape)
            changes = entry.changes
            if "encoding" in changes and "encoding" in defaults:
                changes = {**changes, "encoding": choices.kindred_encoding(defaults, changes["encoding"])}
            params = {name: changes.get(name, value) for name, value in defaults.items()}
            whole = Entry(entry.algorithm, params, entry.wave)
            if all((e.algorithm, e.changes) != (whole.algorithm, whole.changes) for e in entries):
                entries.append(whole)
    return tuple(entries)
