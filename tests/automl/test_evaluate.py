"""One trial over all folds: what it records, how it fails, and that it can be done again."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from flowml.automl.algorithms import ALGORITHMS, stopping
from flowml.automl.algorithms.row import Algorithm
from flowml.automl.candidate import Candidate
from flowml.automl.evaluate import Limits, again, evaluate, score_of
from flowml.automl.metrics import METRICS
from flowml.automl.onnx.steps import temper
from flowml.automl.outcome import Outcome
from flowml.automl.prepared import prepare_frame
from flowml.storage.errors import StorageError
from flowml.storage.records import JobSpec, Json, TrialState
from tests.automl.tables import TARGETS, prepared, schema_of

LIBRARY = {"lightgbm": "lightgbm", "catboost": "catboost", "extra_trees": "scikit-learn"}
DUMMY = ALGORITHMS["dummy"]
FAST = {"rounds": 30, "learning_rate": 0.2}


def candidate(target: str = "left", algorithm: str = "lightgbm", **changes: Any) -> tuple[Any, Candidate]:
    table = prepared(target, folds=3)
    params = ALGORITHMS[algorithm].defaults(table.shape)
    params |= {name: value for name, value in (FAST | changes).items() if name in params}
    return table, Candidate(4, algorithm, params, seed=7)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Puts an algorithm with a given fit into the table for a test."""

    def plant(fit: Any) -> Algorithm:
        row = replace(DUMMY, key="planted", fit=fit)
        monkeypatch.setitem(ALGORITHMS, "planted", row)
        return row

    return plant


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("algorithm", ["lightgbm", "catboost", "extra_trees"])
def test_a_trial_is_scored_on_all_rows(target: str, algorithm: str) -> None:
    table, tried = candidate(target, algorithm)
    seen: list[tuple[int, float]] = []
    outcome = evaluate(table, tried, Limits(60), lambda fold, score: seen.append((fold, score)))
    record = outcome.record
    assert (record.state, record.cause) == (TrialState.COMPLETE, "")
    assert outcome.oof is not None
    assert len(outcome.oof) == 240
    assert record.score == score_of(table, outcome.oof)
    assert [score for _, score in seen] == list(record.fold_scores)
    assert len(outcome.fitted) == len(record.rounds) == len(seen) == 3
    assert record.size_bytes == sum(len(one.content) for one in outcome.fitted)
    assert record.folds_id == table.folds.id
    assert set(record.versions) == {"numpy", LIBRARY[algorithm]}


def test_a_record_can_be_evaluated_again_to_the_same_scores() -> None:
    table, tried = candidate()
    first = evaluate(table, tried, Limits(60)).record
    assert evaluate(table, again(first), Limits(60)).record.fold_scores == first.fold_scores


def test_a_trial_cut_by_its_deadline_keeps_fewer_rounds_and_can_still_be_done_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table, tried = candidate("spend")
    with monkeypatch.context() as late:
        late.setattr(stopping, "time", SimpleNamespace(monotonic=lambda: math.inf))
        first = evaluate(table, tried, Limits(60)).record
    assert (first.state, first.cut) == (TrialState.COMPLETE, True)
    assert set(first.rounds) <= set(range(1, stopping.FEWEST_ROUNDS + 1))
    assert evaluate(table, again(first), Limits(60)).record.fold_scores == first.fold_scores


def test_probabilities_are_as_sure_as_suits_them() -> None:
    """A forest of many classes is far less sure than it could be."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 8, 800)
    bits = {f"x{k}": ((y >> (k % 3)) & 1) + 0.2 * generator.normal(size=800) for k in range(6)}
    frame = pl.DataFrame(bits | {"kind": [f"kind {k}" for k in y]})
    table = prepare_frame(frame, schema_of(frame), JobSpec("kind"))
    params = {"trees": 30, "max_features": 0.3, "min_samples_leaf": 1, "criterion": "gini"}
    found = evaluate(table, Candidate(1, "extra_trees", params), Limits(20))
    assert found.record.temperature < 0.8
    score = METRICS["log_loss"].score
    y, _ = table.checked
    assert found.oof is not None
    assert found.record.score == pytest.approx(score(y, found.oof, None))
    assert found.record.score < 0.8 * score(y, temper(found.oof, 1 / found.record.temperature), None)


def test_the_logarithm_of_a_skewed_target_can_be_learned() -> None:
    table, tried = candidate("spend")
    assert table.shape.skewed
    plain, logged = (
        evaluate(table, replace(tried, params={**tried.params, "target": how}), Limits(60))
        for how in ("plain", "log")
    )
    assert {one.link for one in plain.fitted} == {"identity"}
    assert {one.link for one in logged.fitted} == {"expm1"}
    assert logged.oof is not None
    assert logged.oof.min() > -1
    assert logged.record.score != plain.record.score


def test_unfinished_folds_do_not_count(planted: Any) -> None:
    def slow(fold: Any, params: Json, context: Any) -> Any:
        while not context.over:
            pass
        context = replace(context, deadline=context.deadline + 0.2)
        while not context.over:
            pass
        return DUMMY.fit(fold, params, context)

    planted(slow)
    outcome = evaluate(prepared(folds=3), Candidate(0, "planted"), Limits(0.3))
    assert outcome.record.state is TrialState.FAILED
    assert "after 2 of 3 folds" in outcome.record.cause or "after 1 of 3 folds" in outcome.record.cause
    assert outcome.record.score is None
    assert outcome.oof is None
    assert outcome.fitted == ()


def test_what_it_takes_to_load_a_library_is_part_of_the_time_given(
    planted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    over: list[bool] = []

    def fit(fold: Any, params: Json, context: Any) -> Any:
        over.append(context.over)
        return DUMMY.fit(fold, params, context)

    planted(fit)
    monkeypatch.setattr("importlib.import_module", lambda _: time.sleep(0.2))
    for limit_s in (0.1, 60.0):
        evaluate(prepared(folds=3), Candidate(0, "planted"), Limits(limit_s))
    assert over == [True, False, False, False]


def test_what_a_library_raises_is_one_failed_row(planted: Any) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("the library says no\nand more")

    planted(broken)
    record = evaluate(prepared(folds=3), Candidate(0, "planted"), Limits(5)).record
    assert (record.state, record.cause) == (TrialState.FAILED, "RuntimeError: the library says no")
    assert record.advice


def test_predictions_that_are_not_numbers_fail(planted: Any) -> None:
    class Nothing:
        rounds, cut = 0, False

        def predict(self, X: Any) -> Any:
            return np.full((len(X), 2), np.nan)

    planted(lambda *_: Nothing())
    record = evaluate(prepared(folds=3), Candidate(0, "planted"), Limits(5)).record
    assert "not numbers" in record.cause


def test_a_trial_far_below_the_bar_is_pruned() -> None:
    table, tried = candidate(algorithm="dummy")
    record = evaluate(table, replace(tried, bar=(0.99, 0.99, 0.99)), Limits(5)).record
    assert record.state is TrialState.PRUNED
    assert len(record.fold_scores) == 2
    near = evaluate(table, replace(tried, bar=(0.51, 0.49, 0.5)), Limits(5)).record
    assert near.state is TrialState.COMPLETE


def test_an_unknown_algorithm_is_a_failed_row() -> None:
    record = evaluate(prepared(folds=3), Candidate(0, "oracle"), Limits(5)).record
    assert "Unknown algorithm 'oracle'" in record.cause


def test_an_outcome_comes_back_from_its_folder(tmp_path: Path) -> None:
    table, tried = candidate()
    outcome = evaluate(table, tried, Limits(60))
    folder = tmp_path / "trials" / "4"
    outcome.save(folder)
    outcome.save(folder)  # once more over the first
    back = Outcome.load(folder)
    assert (back.record, back.fitted) == (outcome.record, outcome.fitted)
    assert back.oof is not None
    assert np.array_equal(back.oof, outcome.oof)
    assert [path.name for path in folder.parent.iterdir()] == ["4"]


def test_a_failed_outcome_comes_back_without_predictions(tmp_path: Path) -> None:
    outcome = evaluate(prepared(folds=3), Candidate(0, "oracle"), Limits(5))
    outcome.save(tmp_path / "0")
    assert Outcome.load(tmp_path / "0").oof is None


def test_a_missing_trial_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Trial 9 cannot be read"):
        Outcome.load(tmp_path / "9")


@pytest.mark.parametrize(
    "spec", [{"split": "time:age"}, {"split": "holdout"}, {"roles": {"income": "ignored"}}]
)
def test_other_splits_score_the_rows_they_check(spec: dict[str, Any]) -> None:
    table = prepared("spend", **spec)
    outcome = evaluate(table, Candidate(0, "ridge", ALGORITHMS["ridge"].defaults(table.shape)), Limits(9))
    assert outcome.oof is not None
    assert len(outcome.oof) == len(table.folds.rows)
