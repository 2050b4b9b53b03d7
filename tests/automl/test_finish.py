"""From evaluated trials to a champion that predicts from its file alone."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.candidate import Candidate
from flowml.automl.champion import MODEL, Champion
from flowml.automl.evaluate import Limits, evaluate
from flowml.automl.finish import export_trial, finish
from flowml.automl.fitted import pack, unpack
from flowml.automl.leaderboard import name_of
from flowml.automl.metrics import METRICS
from flowml.automl.onnx.graph import Graph
from flowml.automl.onnx.links import LINKS
from flowml.automl.outcome import trial_folder
from flowml.automl.prepared import Prepared
from flowml.automl.serve import Predictor
from flowml.storage.errors import ExportError, ParityError, TrialError
from flowml.storage.records import Task, TrialRecord, TrialState
from tests.automl.tables import TARGETS, customers, prepared

FAST = {"rounds": 40, "learning_rate": 0.15, "trees": 15}


def study(
    work: Path, target: str, algorithms: tuple[str, ...], **spec: Any
) -> tuple[Prepared, list[TrialRecord]]:
    table = prepared(target, folds=spec.pop("folds", 3), **spec)
    records = []
    for number, key in enumerate(algorithms):
        params = ALGORITHMS[key].defaults(table.shape)
        params |= {name: value for name, value in FAST.items() if name in params and key != "logistic"}
        if number % 2 and "target" in params:
            params["target"] = "log"
        outcome = evaluate(table, Candidate(number, key, params, seed=number), Limits(60))
        outcome.save(trial_folder(work, number))
        records.append(outcome.record)
    return table, records


EACH = {
    "left": ("dummy", "logistic", "lightgbm", "catboost", "xgboost", "extra_trees"),
    "plan": ("dummy", "logistic", "lightgbm", "catboost", "xgboost", "random_forest"),
    "spend": ("dummy", "ridge", "lightgbm", "catboost", "xgboost", "extra_trees"),
}


@pytest.mark.parametrize("target", TARGETS)
def test_folds_that_check_each_row_several_times_give_a_champion_too(target: str, tmp_path: Path) -> None:
    table, records = study(tmp_path, target, ("dummy",), folds=None)
    checked = np.concatenate([valid for _, valid in table.folds.pairs])
    assert len(checked) > len(np.unique(checked))
    assert finish(table, tmp_path, records, simple=True).parity["trained_rows"] == 0


@pytest.mark.parametrize("target", TARGETS)
def test_the_champion_predicts_from_its_file_alone(target: str, tmp_path: Path) -> None:
    table, records = study(tmp_path, target, EACH[target])
    failed = TrialRecord(9, "lasso", {}, TrialState.FAILED, cause="It was planted.")
    champion = finish(table, tmp_path, [*records, failed])
    folder = tmp_path / "champion"
    assert Champion.from_dict(json.loads((folder / "champion.json").read_text())) == champion
    predictor = Predictor(folder / "model.onnx")
    assert predictor.about("card")["name"] == champion.name
    assert predictor.about("parity")["passed"]

    fresh = customers(300, seed=5)
    measure = METRICS[champion.metric]
    answers = predictor.predict(fresh)
    if champion.task is Task.REGRESSION:
        y, scores = fresh[target].to_numpy(), answers.values
    else:
        y = np.array([champion.contract["classes"].index(label) for label in fresh[target]])
        scores = answers.probabilities
    constant = np.tile(np.mean(scores, axis=0), (len(y), 1)) if scores.ndim > 1 else np.full(len(y), y.mean())
    assert measure.better(measure.score(y, scores, None), measure.score(y, constant, None))

    complete = [record for record in records if record.score is not None]
    best = min(measure.loss(record.score) for record in complete if record.score is not None)
    assert measure.loss(champion.score) <= best + 1e-6
    assert {row.state for row in champion.leaderboard} == {TrialState.COMPLETE, TrialState.FAILED}
    ranks = [row.rank for row in champion.leaderboard if row.rank is not None]
    assert ranks == list(range(1, len(ranks) + 1))
    (row,) = [row for row in champion.leaderboard if row.champion]
    assert (row.score, row.latency_ms, row.trial) == (champion.score, champion.latency_ms, champion.trial)
    assert champion.leaderboard[-1].cause == "It was planted."
    assert {one.column for one in champion.importances} == set(table.problem.frame.columns)
    assert champion.importances[0].column in ("age", "region")
    assert champion.diagnostics["rows"] == 240


def test_one_trial_is_enough(tmp_path: Path) -> None:
    table, records = study(tmp_path, "left", ("dummy",))
    champion = finish(table, tmp_path, records)
    assert (champion.algorithm, champion.trial) == ("dummy", 0)
    assert any("larger budget" in note for note in champion.notes)


def test_a_simple_finish_is_of_one_trial_and_without_insight(tmp_path: Path) -> None:
    table, records = study(tmp_path, "plan", ("dummy", "lightgbm", "extra_trees"))
    champion = finish(table, tmp_path, records, 20.0, simple=True)
    assert champion.trial in (1, 2)
    assert champion.importances == ()
    assert champion.cut == ("explanations: no time was left",)
    assert champion.diagnostics["rows"] == sum(map(sum, champion.diagnostics["confusion"]["counts"]))
    assert champion.diagnostics["baseline"] is not None


def test_the_champion_is_there_before_it_is_explained(tmp_path: Path) -> None:
    table, records = study(tmp_path, "left", EACH["left"])
    early: list[Champion] = []

    def built(champion: Champion) -> None:
        early.append(champion)
        (tmp_path / "champion").rename(tmp_path / "kept")

    champion = finish(table, tmp_path, records, built=built)
    (first,) = early
    assert (first.members, first.score, first.parity) == (champion.members, champion.score, champion.parity)
    assert first.importances == ()
    assert champion.importances
    one, other = (
        Predictor((tmp_path / folder / MODEL).read_bytes()).predict_feeds(table.feeds)[1]
        for folder in ("kept", "champion")
    )
    assert one is not None
    assert np.array_equal(one, other)


def test_a_time_split_keeps_the_model_of_the_last_fold(tmp_path: Path) -> None:
    table, records = study(tmp_path, "spend", ("lightgbm", "ridge"), split="time:age")
    finish(table, tmp_path, records)
    one = len(export_trial(table, tmp_path, 0))
    whole, whole_records = study(tmp_path / "whole", "spend", ("lightgbm",))
    assert whole_records[0].state is TrialState.COMPLETE
    assert one < len(export_trial(whole, tmp_path / "whole", 0))


def test_without_time_there_is_still_a_model(tmp_path: Path) -> None:
    table, records = study(tmp_path, "left", EACH["left"])
    began = time.monotonic()
    champion = finish(table, tmp_path, records, 0.0)
    assert time.monotonic() - began < 60
    assert (tmp_path / "champion" / "model.onnx").exists()
    assert "importances: no time was left" in champion.cut
    assert champion.trial is not None


def test_where_exports_are_slow_a_lighter_model_is_taken_in_time(tmp_path: Path) -> None:
    table, records = study(tmp_path, "left", EACH["left"])
    patient = finish(table, tmp_path, records, 60.0)
    slow = finish(table, tmp_path, records, 6.0, pace=20.0)
    assert len(slow.members) < len(patient.members)


def test_what_time_has_no_room_for_is_exported_with_fewer_fold_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, records = study(tmp_path, "left", EACH["left"])
    patient = finish(table, tmp_path, records)
    monkeypatch.setattr("flowml.automl.finish.folds_in_time", lambda *_: 2)
    hurried = finish(table, tmp_path, records)
    assert (patient.folds, hurried.folds) == (3, 2)
    assert hurried.members == patient.members
    assert hurried.size_bytes < patient.size_bytes
    assert "To be exported in time, it holds 2 of 3 fold models of each member." in hurried.notes


def test_where_learning_all_rows_takes_too_long_a_lighter_model_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, records = study(tmp_path, "left", EACH["left"], split="holdout")
    patient = finish(table, tmp_path, records, 60.0)
    end = time.monotonic() + 3.0
    monkeypatch.setattr("flowml.automl.finish.refit", lambda *_: time.sleep(max(0.0, end - time.monotonic())))
    late = finish(table, tmp_path, records, 3.0)
    assert len(late.members) < len(patient.members)


def test_what_cannot_be_exported_gives_way_with_the_reason_in_its_row(tmp_path: Path) -> None:
    table, records = study(tmp_path, "left", ("dummy", "logistic", "lightgbm"))
    best = min(records, key=lambda record: -(record.score or 0))
    broken = trial_folder(tmp_path, best.number)
    for model in broken.glob("fold-*"):
        model.write_bytes(b"nonsense")
    champion = finish(table, tmp_path, records)
    assert champion.trial not in (None, best.number)
    (row,) = [row for row in champion.leaderboard if row.trial == best.number]
    assert row.cause
    assert not row.champion


@pytest.mark.parametrize("key", ["lightgbm", "extra_trees", "logistic"])
def test_what_fails_the_gate_is_not_offered_and_its_row_says_why(key: str, tmp_path: Path) -> None:
    """Whole and readable, but not what was fitted: one number was changed after the training."""
    table, records = study(tmp_path, "left", ("dummy", key))
    tamper(trial_folder(tmp_path, 1))
    champion = finish(table, tmp_path, records)
    assert champion.trial == 0
    (row,) = [row for row in champion.leaderboard if row.trial == 1]
    assert "predictions differ from training's on" in row.cause
    assert (row.champion, row.latency_ms) == (False, None)
    assert any(row.cause in note for note in champion.notes)
    with pytest.raises(ParityError, match="differ"):
        export_trial(table, tmp_path, 1)


def tamper(trial: Path) -> None:
    for path in trial.glob("fold-*"):
        if path.suffix == ".lightgbm":
            head, mark, rest = path.read_text().partition("leaf_value=")
            whole, point, others = rest.partition(".")
            path.write_text(f"{head}{mark}{whole[:-1]}7{point}{others}")  # as long: it knows its sizes
            continue
        arrays = unpack(path.read_bytes())
        name = "base" if "base" in arrays else "intercept"
        path.write_bytes(pack(arrays | {name: arrays[name] + 0.1}))


@pytest.mark.parametrize("share", [1e-4, 0.1])
def test_an_exporter_that_is_wrong_is_caught(
    share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: it writes the links of a graph by a little off."""
    table, records = study(tmp_path, "left", ("dummy", "lightgbm"))
    sigmoid = LINKS["sigmoid"]

    def off(graph: Graph, scores: str) -> str:
        return graph.op("Add", sigmoid.build(graph, scores), graph.constant(share, np.float64))

    monkeypatch.setitem(LINKS, "sigmoid", replace(sigmoid, build=off))
    champion = finish(table, tmp_path, records)
    assert champion.trial == 0
    (row,) = [row for row in champion.leaderboard if row.trial == 1]
    assert "The exported model's probabilities differ from the library's" in row.cause


def test_a_better_trial_that_no_time_was_left_for_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, records = study(tmp_path, "left", ("logistic", "lightgbm"))
    best = max(records, key=lambda record: record.score or 0.0)
    monkeypatch.setattr(
        "flowml.automl.finish.folds_in_time",
        lambda members, *_: 3 * all(each.number != best.number for each in members),
    )
    champion = finish(table, tmp_path, records, deadline_s=600.0)
    assert champion.trial == 1 - best.number
    assert any("too large to export in the time" in n and name_of(best) in n for n in champion.notes)


def test_a_limit_on_latency_is_kept_or_the_fastest_is_taken(tmp_path: Path) -> None:
    table, records = study(tmp_path, "left", EACH["left"], max_latency_ms=1e-6)
    champion = finish(table, tmp_path, records)
    assert champion.latency_ms is not None
    assert any("the limit is 1e-06 ms" in note for note in champion.notes)


def test_a_study_without_a_complete_trial_has_no_champion(tmp_path: Path) -> None:
    table = prepared(folds=3)
    with pytest.raises(TrialError, match="No trial was completed"):
        finish(table, tmp_path, [TrialRecord(0, "lasso", {}, TrialState.FAILED)])


def test_trials_of_other_folds_are_not_mixed_in(tmp_path: Path) -> None:
    table, records = study(tmp_path, "left", ("dummy", "lightgbm"))
    other = prepared("left", folds=4)
    with pytest.raises(TrialError, match="No trial was completed"):
        finish(other, tmp_path, records)
    assert table.folds.id != other.folds.id


def test_nothing_that_exports_is_an_error(tmp_path: Path) -> None:
    table, records = study(tmp_path, "left", ("logistic",))
    for model in trial_folder(tmp_path, 0).glob("fold-*"):
        model.write_bytes(b"nonsense")
    with pytest.raises(ExportError, match="None of the best models"):
        finish(table, tmp_path, records)
