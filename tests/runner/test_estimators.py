"""FlowML as estimators of scikit-learn: its own checks, and what they do not ask."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import KFold, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import flowml
from flowml.runner.standing import ROOM

FEW = {"budget": 30, "max_trials": 1, "folds": 2}
ESTIMATORS = [
    flowml.FlowMLClassifier(algorithms=("logistic",), **FEW),
    flowml.FlowMLRegressor(algorithms=("ridge",), **FEW),
]


# Names and keywords of checks that are left out, and why.
LEFT_OUT = {
    ("check_classifiers_train", "X_dtype"): "whatever the array, its values are copied into columns",
    ("check_classifiers_train", "readonly_memmap"): "whatever the array, its values are copied into columns",
    ("check_regressors_train", "X_dtype"): "whatever the array, its values are copied into columns",
    ("check_regressors_train", "readonly_memmap"): "whatever the array, its values are copied into columns",
    ("check_array_api_input", ""): "arrays of graphics cards are no tables",
}


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    for (name, keyword), reason in LEFT_OUT.items():
        if check.func.__name__ == name and (not keyword or keyword in check.keywords):
            pytest.skip(reason)
    check(estimator)


def customers(rows: int = 60) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "tenure": [row % 30 + 0.5 for row in range(rows)],
            "city": [("Bonn", None, "Ulm")[row % 3] for row in range(rows)],
            "target": [float(row) for row in range(rows)],
        }
    )


def test_a_table_keeps_its_columns_and_the_model_saves_itself(tmp_path: Path) -> None:
    X, y = customers(), ["stays" if row % 30 > 14 else "leaves" for row in range(60)]
    fitted = copy.deepcopy(ESTIMATORS[0]).fit(X, y)
    assert fitted.feature_names_in_.tolist() == ["tenure", "city", "target"]
    assert fitted.classes_.tolist() == ["leaves", "stays"]
    assert fitted.score(X.to_pandas(), y) > 0.9
    assert [row.algorithm for row in fitted.leaderboard_] == ["logistic", "dummy"]
    row = X.row(3, named=True)
    shares = fitted.predict_proba(X)[3]
    fitted.model_.save(tmp_path / "model.onnx")
    again = flowml.load(tmp_path / "model.onnx")
    assert again.leaderboard == fitted.leaderboard_
    assert again.predict_proba([row])[0] == pytest.approx(shares, abs=1e-6)
    assert again.explain(row, "stays").prediction == pytest.approx(shares[1], abs=1e-6)
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    assert joblib.load(tmp_path / "fitted.joblib").predict(X).tolist() == fitted.predict(X).tolist()


def test_a_cross_validation_keeps_its_children() -> None:
    X = np.column_stack([np.arange(80.0), np.arange(80) % 7])
    folds = KFold(2, shuffle=True, random_state=0)
    scores = cross_val_score(copy.deepcopy(ESTIMATORS[1]), X, X[:, 0] * 3000 + 5, cv=folds)
    assert (scores > 0.8).all()
    crew = ROOM._waiting
    assert crew is not None
    (slot,) = crew.slots
    assert slot.ended() is None
    ROOM.empty()
    assert slot.ended() is not None or slot._process is None
    assert ROOM._waiting is None


@pytest.mark.parametrize(
    ("estimator", "X", "y", "words"),
    [
        (flowml.FlowMLClassifier(budget="soon"), [[1.0]] * 6, [0, 1] * 3, "budget"),
        (flowml.FlowMLClassifier(options={"depth": 3}), [[1.0]] * 6, [0, 1] * 3, "no option depth"),
        (flowml.FlowMLRegressor(), [[float("inf")]] * 6, [0, 1] * 3, "infinity"),
        (flowml.FlowMLRegressor(metric="nonsense", max_trials=1), np.eye(6), range(6), "nonsense"),
    ],
)
def test_what_is_asked_wrongly_is_a_value_error(estimator: Any, X: Any, y: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        estimator.fit(X, y)
