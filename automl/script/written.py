"""WRITTEN: how the fit of each algorithm is spelled in a script. One row each; what has none is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from flowml.automl.algorithms import catboost, forests, kernel, lightgbm, xgboost
from flowml.automl.algorithms.choices import for_library
from flowml.automl.algorithms.dummy import OF_MEDIAN
from flowml.automl.algorithms.losses import loss_of
from flowml.automl.algorithms.row import FitContext, FoldTable
from flowml.automl.script.basis import Basis
from flowml.storage.records import Json, TrialRecord

PARTS = "flowml.automl.script.parts"


@dataclass(frozen=True)
class Call:
    """A function of `parts` and its arguments after the fold, as source; SETTINGS is what it names."""

    module: str
    function: str
    arguments: str
    settings: Json | None = None


Write = Callable[[TrialRecord, Basis], Call]


def _fold(basis: Basis) -> FoldTable:
    """An empty one, that settings follow from."""
    empty = np.zeros((0, 0))
    known = basis.known
    return FoldTable(empty, empty, None, empty, empty, None, known.task, basis.outputs, known.metric)


def _settings(make: Callable[[FoldTable, Json, FitContext], Json], row: TrialRecord, basis: Basis) -> Json:
    return make(_fold(basis), row.params, FitContext(row.threads, row.seed, 0.0))


def _without(settings: Json, *names: str) -> Json:
    return {name: value for name, value in settings.items() if name not in names}


def _dummy(_: TrialRecord, basis: Basis) -> Call:
    return Call("models", "baseline", f"median={basis.known.metric in OF_MEDIAN}")


def _lightgbm(row: TrialRecord, basis: Basis) -> Call:
    settings = _without(_settings(lightgbm._settings, row, basis), "seed")
    return Call(
        "models", "lightgbm_model", '{**SETTINGS, "seed": SEED + k}, CATEGORICAL, ROUNDS[k]', settings
    )


def _xgboost(row: TrialRecord, basis: Basis) -> Call:
    settings = _without(_settings(xgboost._settings, row, basis), "seed")
    return Call("models", "xgboost_model", '{**SETTINGS, "seed": SEED + k}, ROUNDS[k]', settings)


def _catboost(row: TrialRecord, basis: Basis) -> Call:
    settings = _without(_settings(catboost._settings, row, basis), "random_seed", "bootstrap_type")
    arguments = '{**SETTINGS, "random_seed": SEED + k}, CATEGORICAL, ROUNDS[k]'
    return Call("models", "catboost_model", arguments, settings)


SEEDED = '{**SETTINGS, "random_state": SEED + k}'


def _histogram(row: TrialRecord, basis: Basis) -> Call:
    settings = {"loss": loss_of(_fold(basis)), **for_library(row.params)}
    return Call("models", "histogram_model", f"{SEEDED}, CATEGORICAL, ROUNDS[k], THREADS", settings)


def _gradient(row: TrialRecord, basis: Basis) -> Call:
    settings = {"loss": loss_of(_fold(basis)), **for_library(row.params)}
    return Call("models", "gradient_model", f"{SEEDED}, ROUNDS[k]", settings)


def _forest(kind: str, row: TrialRecord, basis: Basis) -> Call:
    leaves = forests.most_leaves(int(row.params["trees"]), basis.outputs)
    settings = {"n_jobs": row.threads, **for_library(row.params)}
    return Call("models", "forest_model", f"{kind!r}, {SEEDED}, {leaves}, ROUNDS[k]", settings)


def _tree(row: TrialRecord, _: Basis) -> Call:
    shrinkage = float(row.params["shrinkage"])
    return Call("models", "tree_model", f"{SEEDED}, shrinkage={shrinkage!r}", for_library(row.params))


def _number(row: TrialRecord, name: str, otherwise: float = 0.0) -> str:
    return f"{name}={float(row.params.get(name, otherwise))!r}"


def _logistic(row: TrialRecord, _: Basis) -> Call:
    return Call("linear", "logistic_model", f"{_number(row, 'C')}, rounds=ROUNDS[k]")


def _ridge(row: TrialRecord, _: Basis) -> Call:
    return Call("linear", "ridge_model", _number(row, "alpha"))


def _sparse(row: TrialRecord, _: Basis) -> Call:
    arguments = f"{_number(row, 'alpha')}, {_number(row, 'l1_ratio', 1.0)}, seed=SEED + k"
    return Call("linear", "sparse_model", arguments)


def _margin(row: TrialRecord, basis: Basis) -> Call:
    if basis.outputs == 1:
        arguments = f"{_number(row, 'C')}, {_number(row, 'epsilon')}, rounds=ROUNDS[k]"
        return Call("linear", "tube_model", arguments)
    return Call("linear", "margin_model", f"{_number(row, 'C')}, rounds=ROUNDS[k], seed=SEED + k")


def _kernel(row: TrialRecord, _: Basis) -> Call:
    """A fold whose time was short learned from fewer rows."""
    most = (
        f"most_rows=ROUNDS[k] or min({int(row.params['rows'])},"
        f" max({kernel.FIRST_ROWS}, {kernel.MOST_CELLS} // fold.X.shape[1]))"
    )
    numbers = ", ".join(_number(row, name) for name in ("C", "gamma", "epsilon"))
    return Call("linear", "kernel_model", f"{numbers}, {most}, seed=SEED + k")


WRITTEN: dict[str, Write] = {
    "dummy": _dummy,
    "logistic": _logistic,
    "ridge": _ridge,
    "lasso": _sparse,
    "elastic_net": _sparse,
    "linear_svm": _margin,
    "svm": _kernel,
    "decision_tree": _tree,
    "extra_trees": partial(_forest, "ExtraTrees"),
    "random_forest": partial(_forest, "RandomForest"),
    "gradient_boosting": _gradient,
    "hist_gradient_boosting": _histogram,
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "catboost": _catboost,
}
