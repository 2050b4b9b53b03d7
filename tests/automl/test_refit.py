"""Members of a champion that learn all rows in the end, where only the models of one fold would serve."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.blend import single
from flowml.automl.budget import Budget, export_seconds, refit_seconds, shared
from flowml.automl.candidate import Candidate
from flowml.automl.evaluate import Limits, evaluate
from flowml.automl.finish import finish
from flowml.automl.outcome import has_whole, load_fitted, load_whole_seen, trial_folder
from flowml.automl.prepared import Prepared, prepare_frame
from flowml.automl.refit import refit
from flowml.automl.serve import Predictor
from flowml.storage.records import JobSpec, Role, TrialRecord, TrialState
from tests.automl.tables import TARGETS, customers, prepared, schema_of

MOST = {"rounds": 40, "trees": 15, "learning_rate": 0.15}


def study(work: Path, table: Prepared, *algorithms: str, **facts: Any) -> list[TrialRecord]:
    records = []
    for number, key in enumerate(algorithms):
        params = ALGORITHMS[key].defaults(table.shape)
        params |= {name: value for name, value in MOST.items() if name in params}
        outcome = evaluate(table, Candidate(number, key, params, seed=number, **facts), Limits(60))
        outcome.save(trial_folder(work, number))
        records.append(outcome.record)
    return records


def later(**spec: Any) -> Prepared:
    """A table in the order of time, of which the answer depends on the newest rows."""
    frame = customers(240).drop("left", "plan").with_row_index("day")
    return prepare_frame(frame, schema_of(frame, day=Role.TIME), JobSpec("spend", **spec))


@pytest.mark.parametrize("target", TARGETS)
def test_members_of_a_holdout_learn_all_rows(target: str, tmp_path: Path) -> None:
    table = prepared(target, split="holdout")
    records = study(tmp_path, table, "dummy", "lightgbm", "extra_trees", "catboost", "xgboost")
    champion = finish(table, tmp_path, records, cores=2)
    note = next(note for note in champion.notes if "learned all rows" in note)
    assert all(name in note for name in champion.members)
    assert champion.parity["trained_rows"] > 0
    assert [phase.name for phase in champion.phases].count("refit") == 1
    assert champion.compact is None or champion.compact.parity["passed"]


def test_the_newest_rows_are_learned_too(tmp_path: Path) -> None:
    table = later()
    assert table.folds.kind == "time"
    assert table.shape.kept == 1
    [record] = study(tmp_path, table, "lightgbm")
    assert refit(table, tmp_path, single(table, tmp_path, record), 1, time.monotonic() + 60) == {}
    folder = trial_folder(tmp_path, 0)
    assert len(load_fitted(folder)) == len(table.folds.pairs) + 1
    train, checked = table.folds.pair(table.folds.whole)
    assert len(train) == 240
    assert np.array_equal(checked, table.folds.rows)
    assert len(load_whole_seen(folder)) == len(checked)

    finish(table, tmp_path, [record])
    frame = customers(240).drop("left", "plan").with_row_index("day")
    given = Predictor(tmp_path / "champion" / "model.onnx").predict(frame[checked.tolist()]).values
    assert given is not None
    assert np.allclose(given, load_whole_seen(folder), rtol=1e-4)


def test_as_many_rounds_as_the_kept_fold_took(tmp_path: Path) -> None:
    table = later()
    [record] = study(tmp_path, table, "lightgbm")
    refit(table, tmp_path, single(table, tmp_path, record), 1, time.monotonic() + 60)
    whole = load_fitted(trial_folder(tmp_path, 0))[-1]
    assert whole.content.decode().count("Tree=") == record.rounds[-1]


def test_folds_that_all_serve_are_fitted_once(tmp_path: Path) -> None:
    table = prepared("left", folds=3)
    records = study(tmp_path, table, "lightgbm")
    champion = finish(table, tmp_path, records)
    assert table.shape.kept == 3
    assert not has_whole(trial_folder(tmp_path, 0))
    assert "refit" not in [phase.name for phase in champion.phases]


def test_what_cannot_learn_all_rows_keeps_the_model_of_its_fold(tmp_path: Path) -> None:
    table = prepared("left", split="holdout")
    [record] = study(tmp_path, table, "lightgbm")

    def why(end: float = 60.0, **facts: Any) -> str:
        blend = single(table, tmp_path, replace(record, **facts))
        return refit(table, tmp_path, blend, 1, time.monotonic() + end)[0]

    assert why(0.0) == "there was no time"
    assert why(rows=20) == "it learned a sample of 20 rows"
    assert why(device="gpu:0") == "it was fitted on a GPU"
    assert why(cut=True) == "its time was cut"
    assert "KeyError" in why(params={})
    assert not has_whole(trial_folder(tmp_path, 0))
    assert finish(table, tmp_path, [record], 0.5).score == record.score


def test_where_a_limit_leaves_few_fold_models_the_members_learn_all_rows(tmp_path: Path) -> None:
    whole = prepared("spend", folds=3)
    records = study(tmp_path, whole, "extra_trees")
    large = finish(whole, tmp_path, records).size_bytes
    limited = prepared("spend", folds=3, max_size_bytes=int(large * 0.6))
    champion = finish(limited, tmp_path, records)
    assert champion.size_bytes <= large * 0.6
    assert has_whole(trial_folder(tmp_path, 0))
    assert any("learned all rows" in note for note in champion.notes)
    assert not any("fold models" in note for note in champion.notes)
    assert finish(whole, tmp_path, records).size_bytes == large


def test_the_budget_keeps_time_for_it() -> None:
    shape = prepared("spend", split="holdout").shape
    facts: dict[str, Any] = {"score": 0.5, "fit_seconds": 8.0, "size_bytes": 10**6, "threads": 1}
    record = TrialRecord(1, "lightgbm", {}, TrialState.COMPLETE, **facts)
    assert refit_seconds(record, 1.25, 1) == 10.0
    assert refit_seconds(record, 1.25, 2) == pytest.approx(10 / 1.7)

    def kept(*records: TrialRecord, folds: int, limit: int | None = None) -> float:
        plain, budget = Budget(60.0, cores=2), Budget(60.0)
        budget.know(replace(shape, kept=folds, rows=100, train_rows=80, folds=1), limit, 2)
        for each in records:
            plain.learn(each)
            budget.learn(each)
        return budget.reserve() - plain.reserve()

    assert kept(record, folds=1) == pytest.approx(10 / 1.7)
    assert kept(record, record, folds=1) == pytest.approx(0.15 * 60)
    exporting = shared(2) * export_seconds(record)
    fallback = -0.8 * exporting  # of one fold model
    assert kept(record, folds=5) == pytest.approx(fallback)
    assert kept(record, folds=5, limit=10**6) == pytest.approx(fallback)
    assert kept(record, folds=5, limit=10**5) == pytest.approx(10 / 1.7 - 0.8 * 2 * exporting)
    assert kept(folds=1) == 0.0
