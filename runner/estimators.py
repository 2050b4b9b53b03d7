"""FlowML as scikit-learn's estimators, for its pipelines, searches and cross-validations.

    FlowMLClassifier(budget="60s").fit(X, y).predict_proba(rows)

X is a polars or pandas table with columns of any kind, whose roles are guessed as in a studio unless
`options={"roles": …}` says otherwise, or an array. What is fitted is `model_`, which saves itself as an
ONNX file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_array, check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from flowml.automl.serve import Model, Predictions
from flowml.runner.fit import Silent, as_polars, division, train
from flowml.runner.options import spec_of
from flowml.runner.standing import ROOM, Standing
from flowml.storage.errors import InputError
from flowml.storage.records import JobSpec, Role

TARGET = "target"
FEWEST = 4  # rows that a split can be made of
LARGEST_SEED = 2**31 - 1


class Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn is not followed by mypy
    """What both share. `options` are further fields of JobSpec, as `max_trials` and `folds` are.

    With `max_trials`, an int as `random_state`, and a budget that suffices for them, the same table gives the
    same model; else the clock decides how much is tried.
    """

    def __init__(
        self,
        budget: str | float = "60s",
        *,
        metric: str = "auto",
        algorithms: Sequence[str] = (),
        max_trials: int | None = None,
        folds: int | None = None,
        n_jobs: int | None = None,
        random_state: Any = 0,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.budget = budget
        self.metric = metric
        self.algorithms = algorithms
        self.max_trials = max_trials
        self.folds = folds
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.options = options

    @property
    def leaderboard_(self) -> Any:
        """All that was tried, best first."""
        check_is_fitted(self)
        return self.model_.leaderboard

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.non_deterministic = self.max_trials is None
        return tags

    def predictions(self, X: Any) -> Predictions:
        """Values, probabilities and warnings together."""
        check_is_fitted(self)
        model: Model = self.model_
        return model.predictions(self._rows(X, reset=False))

    # --- inner --------------------------------------------------------------------------------------------

    def _learn(self, X: Any, rows: pl.DataFrame, y: Any, task: str) -> None:
        self._target = unused(TARGET, rows.columns)
        table = rows.with_columns(_series(self._target, y))
        try:
            spec = self._spec(task, {} if is_table(X) else numbers_of(rows))
            self.model_ = train(table, spec, Silent(), crew_for(table, spec), checked=())
        except InputError as error:
            raise ValueError(str(error)) from error

    def _spec(self, task: str, roles: dict[str, Role]) -> JobSpec:
        options = {
            "task": task,
            "roles": roles,
            "metric": self.metric,
            "algorithms": tuple(self.algorithms),
            "max_trials": self.max_trials,
            "folds": self.folds,
            "jobs": self.n_jobs if self.n_jobs and self.n_jobs > 0 else None,
            "seed": seed_of(self.random_state),
        }
        return spec_of(self._target, self.budget, options | (self.options or {}))

    def _rows(self, X: Any, reset: bool) -> pl.DataFrame:
        """The table as it came, or an array with names for its columns."""
        if is_table(X):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return as_polars(X).rename(str)
        checked = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan")
        refuse_infinite(checked, "X")
        names = getattr(self, "feature_names_in_", [f"x{place}" for place in range(checked.shape[1])])
        return pl.DataFrame([_series(str(name), checked[:, at]) for at, name in enumerate(names)])


class FlowMLClassifier(ClassifierMixin, Estimator):  # type: ignore[misc]
    def fit(self, X: Any, y: Any) -> Self:
        rows = self._rows(X, reset=True)
        y = _target(y, rows)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"A classifier needs two classes; y has one class: {self.classes_[0]!r}.")
        task = "binary" if len(self.classes_) == 2 else "multiclass"
        self._learn(X, rows, _labels(self.classes_)[codes], task)
        return self

    def predict(self, X: Any) -> Any:
        found = self.predictions(X)
        place = {label: at for at, label in enumerate(_labels(self.classes_).tolist())}
        return self.classes_[[place[value] for value in found.values.tolist()]]

    def predict_proba(self, X: Any) -> Any:
        """In the order of `classes_`; 0 for a class that had too few rows to be learned."""
        found = self.predictions(X)
        shares = np.zeros((len(found), len(self.classes_)))
        assert found.probabilities is not None
        for at, label in enumerate(_labels(self.classes_).tolist()):
            if label in found.classes:
                shares[:, at] = found.probabilities[:, found.classes.index(label)]
        return shares / shares.sum(axis=1, keepdims=True)


class FlowMLRegressor(RegressorMixin, Estimator):  # type: ignore[misc]
    def fit(self, X: Any, y: Any) -> Self:
        rows = self._rows(X, reset=True)
        self._learn(X, rows, _target(y, rows).astype(np.float64), "regression")
        return self

    def predict(self, X: Any) -> Any:
        return self.predictions(X).values


# --- tables, targets, seeds -------------------------------------------------------------------------------


def is_table(X: Any) -> bool:
    return isinstance(X, pl.DataFrame) or (hasattr(X, "iloc") and hasattr(X, "columns"))


def numbers_of(rows: pl.DataFrame) -> dict[str, Role]:
    """The columns of an array are what they are: none is taken for an identifier."""
    return {name: Role.NUMERIC for name, dtype in rows.schema.items() if dtype.is_numeric()}


def unused(name: str, names: Sequence[str]) -> str:
    """The name, with as many strokes as make it one that no column has."""
    while name in names:
        name += "_"
    return name


def refuse_infinite(values: Any, what: str) -> None:
    if values.dtype.kind == "f" and np.isinf(values).any():
        raise ValueError(f"Input {what} contains infinity or a value too large for {values.dtype}.")


def seed_of(random_state: Any) -> int:
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(LARGEST_SEED))


def crew_for(table: pl.DataFrame, spec: JobSpec) -> Standing:
    """With at least one child that is ready or loads its libraries."""
    crew = ROOM.take(*division(table, spec))
    if not crew.slots:
        crew.add()
    return crew


def _target(y: Any, rows: pl.DataFrame) -> Any:
    if y is None:
        raise ValueError("This estimator requires y to be passed, but the target y is None.")
    y = y.to_numpy() if isinstance(y, pl.Series) else y
    checked = column_or_1d(check_array(y, ensure_2d=False, dtype=None, input_name="y"), warn=True)
    check_consistent_length(checked, rows)
    if rows.height < FEWEST:
        raise ValueError(f"n_samples={rows.height} is too few; at least {FEWEST} rows are needed.")
    return checked


def _labels(classes: Any) -> Any:
    """Classes as a model's file can hold them: whole numbers, truth values, or text."""
    return classes if classes.dtype.kind in "iub" else np.array([str(each) for each in classes], object)


def _series(name: str, values: Any) -> pl.Series:
    if values.dtype != object:
        return pl.Series(name, np.ascontiguousarray(values))
    cells = [None if each is None or each is np.nan else each for each in values.tolist()]
    kinds = {type(each) for each in cells if each is not None}
    if kinds <= {int, float}:
        return pl.Series(name, cells, dtype=pl.Float64)
    if len(kinds) > 1 or not kinds <= {str, bool}:
        cells = [None if each is None else _text(each) for each in cells]
    return pl.Series(name, cells)


def _text(cell: Any) -> str:
    if isinstance(cell, dict | list | set | tuple):
        raise TypeError(f"A cell holds a {type(cell).__name__}; the argument must be a string or a number.")
    return str(cell)
