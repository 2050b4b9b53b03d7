"""A row that is evaluated again scores as before, or the verdict says why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowml.automl import blend as blends
from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.blend import ensemble, ranked
from flowml.automl.candidate import Candidate
from flowml.automl.evaluate import Limits, evaluate
from flowml.automl.outcome import trial_folder
from flowml.automl.prepared import Prepared
from flowml.automl.stack import Learned, Stack
from flowml.automl.verify import blend_again, compare, compare_champion, verify
from flowml.storage.errors import TrialError
from flowml.storage.records import Agreement, TrialRecord, TrialState
from tests.automl.tables import TARGETS, prepared

FEW = {"rounds": 30, "trees": 8, "learning_rate": 0.2}


def candidate(table: Prepared, algorithm: str, number: int = 0, **changes: float) -> Candidate:
    params = ALGORITHMS[algorithm].defaults(table.shape)
    params |= {name: value for name, value in (FEW | changes).items() if name in params}
    return Candidate(number, algorithm, params, seed=7 * number)


def tried(table: Prepared, algorithm: str = "lightgbm") -> TrialRecord:
    return evaluate(table, candidate(table, algorithm), Limits(60)).record


@pytest.mark.parametrize("target", TARGETS)
def test_every_algorithm_scores_as_before(target: str) -> None:
    table = prepared(target, folds=2)
    for algorithm, row in ALGORITHMS.items():
        if table.problem.task in row.tasks:
            verdict = verify(table, tried(table, algorithm))
            assert (algorithm, verdict.agreement, verdict.gap) == (algorithm, Agreement.SAME, 0.0)
            assert (verdict.folds, verdict.why) == (2, "")


def test_a_trial_that_was_given_up_is_compared_as_far_as_it_came() -> None:
    table = prepared(folds=3)
    worse = replace(candidate(table, "dummy"), bar=(0.99, 0.99, 0.99))
    record = evaluate(table, worse, Limits(60)).record
    assert record.state is TrialState.PRUNED
    verdict = verify(table, record)
    assert (verdict.agreement, verdict.folds) == (Agreement.SAME, 2)


def test_a_row_without_scores_has_nothing_to_compare() -> None:
    record = TrialRecord(3, "lightgbm", {}, TrialState.FAILED, cause="It outran its time.")
    verdict = verify(prepared(), record)
    assert (verdict.agreement, verdict.why) == (Agreement.NOTHING, "It outran its time.")


def test_a_score_that_was_made_up_is_found() -> None:
    table = prepared(folds=3)
    record = tried(table)
    first, *others = record.fold_scores
    verdict = verify(table, replace(record, fold_scores=(first + 1e-6, *others)))
    assert verdict.agreement is Agreement.DIFFERENT
    assert verdict.gap == pytest.approx(1e-6)
    assert verdict.why == "The score of a fold differs by 1e-06."


def test_other_folds_and_other_params_are_found() -> None:
    table = prepared(folds=3)
    record = tried(table)
    assert "split in another way" in verify(prepared(folds=3, seed=1), record).why
    assert verify(table, replace(record, params={"rounds": 2})).agreement is Agreement.DIFFERENT


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"versions": {"lightgbm": "0.1", "numpy": "0.2"}}, "lightgbm was 0.1 and is "),
        ({"versions": {"lightgbn": "4.0"}}, "lightgbn was 4.0 and is not installed"),
        ({"device": "gpu"}, "It ran on gpu"),
    ],
)
def test_what_lies_outside_of_the_study_excuses_a_difference(change: dict[str, object], why: str) -> None:
    stored = TrialRecord(3, "lightgbm", {}, TrialState.COMPLETE, fold_scores=(0.5, 0.6))
    stored = TrialRecord.from_dict({**stored.to_dict(), **change})
    assert compare(stored, stored).agreement is Agreement.SAME
    verdict = compare(stored, replace(stored, fold_scores=(0.5, 0.7)))
    assert verdict.agreement is Agreement.EXCUSED
    assert why in verdict.why


def test_the_champion_is_put_together_again(tmp_path: Path) -> None:
    table = prepared("plan", folds=3)
    records = []
    for number, algorithm in enumerate(("logistic", "extra_trees", "lightgbm")):
        outcome = evaluate(table, candidate(table, algorithm, number), Limits(60))
        outcome.save(trial_folder(tmp_path, number))
        records.append(outcome.record)
    blend = ensemble(table, tmp_path, ranked(table, records), deadline=0.0)
    assert blend is not None
    again = blend_again(table, tmp_path, blend.recipe, records)
    assert compare_champion(blend.recipe, again.score, again.fold_scores).agreement is Agreement.SAME
    other = compare_champion(blend.recipe, again.score + 0.1, again.fold_scores)
    assert (other.agreement, other.gap) == (Agreement.DIFFERENT, pytest.approx(0.1))
    excused = compare_champion(blend.recipe, again.score + 0.1, again.fold_scores, "Other versions.")
    assert excused.agreement is Agreement.EXCUSED
    with pytest.raises(TrialError, match="evaluated again"):
        blend_again(table, tmp_path, replace(blend.recipe, trials=(0, 9)), records)


def test_a_stack_is_judged_by_rows_that_it_did_not_learn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = prepared("plan", folds=3)
    records = []
    for number, algorithm in enumerate(("logistic", "extra_trees")):
        outcome = evaluate(table, candidate(table, algorithm, number), Limits(60))
        outcome.save(trial_folder(tmp_path, number))
        records.append(outcome.record)
    rows, coef = np.arange(100), np.concatenate([0.5 * np.eye(3)] * 2)
    unsure = np.full((100, 3), 1 / 3)
    stack = Stack(tuple(map(tuple, coef.tolist())), (0.0, 0.0, 0.0), 1.0)
    monkeypatch.setattr(blends, "learn", lambda *_: Learned(stack, 0.9, rows, unsure))
    blend = ensemble(table, tmp_path, ranked(table, records), deadline=0.0)
    assert blend is not None
    assert blend.crosswise == 0.9
    assert np.allclose(blend.oof[:100], unsure)
    assert not np.allclose(blend.oof[100:], 1 / 3, atol=0.1)
    assert blend.score > blend.recipe.score + 0.1
    again = blend_again(table, tmp_path, blend.recipe, records)
    assert compare_champion(blend.recipe, again.score, again.fold_scores).agreement is Agreement.SAME
