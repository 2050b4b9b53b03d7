"""Smaller files: the limit of the champion's, and the variant beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowml.automl.blend import Blend, blended
from flowml.automl.champion import Champion
from flowml.automl.compact import (
    COMPACT,
    UNMEASURED,
    estimated_bytes,
    export_within_limit,
    variant,
    within_limit,
)
from flowml.automl.export import export
from flowml.automl.finish import finish
from flowml.automl.metrics import METRICS
from flowml.automl.outcome import load_oof, trial_folder
from flowml.automl.prepared import Prepared
from flowml.automl.serve import Predictor
from flowml.storage.records import Task, TrialRecord
from tests.automl.tables import TARGETS, customers
from tests.automl.test_finish import EACH, study

Study = tuple[Prepared, list[TrialRecord], Path]


@pytest.fixture(scope="module", params=TARGETS)
def studied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Study:
    work = tmp_path_factory.mktemp("study")
    return *study(work, request.param, EACH[request.param]), work


def mean_of(studied: Study) -> Blend:
    """All trials but the baseline with the same weight."""
    prepared, records, work = studied
    members = tuple(record for record in records if record.algorithm != "dummy")
    parts = [part for m in members if (part := load_oof(trial_folder(work, m.number))) is not None]
    return blended(prepared, members, (1 / len(members),) * len(members), parts)


def test_the_variant_is_much_smaller_and_tells_what_it_costs(studied: Study) -> None:
    prepared, _, work = studied
    blend = mean_of(studied)
    whole = export(prepared, work, blend)
    made = variant(prepared, work, blend, whole, 1e6)
    assert made is not None
    assert len(made.content) == made.record.size_bytes < 0.6 * len(whole.content)
    assert len(made.record.members) <= len(blend.members)
    assert sum(made.record.weights) == pytest.approx(1.0, abs=1e-3)
    measure = prepared.problem.measure
    assert made.record.loss == pytest.approx(measure.loss(made.record.score) - measure.loss(blend.score))
    assert made.record.parity["passed"]
    assert (UNMEASURED in made.notes) == (whole.folds > 1)

    predictor, target = Predictor(made.content), prepared.problem.target
    fresh = customers(300, seed=5)
    scores = predictor.scores(predictor.contract.accept(fresh)[0])
    if prepared.problem.task is Task.REGRESSION:
        y, constant = fresh[target].to_numpy(), np.full(300, float(fresh[target].mean()))  # type: ignore[arg-type]
    else:
        y = np.array([prepared.problem.classes.index(label) for label in fresh[target]])
        constant = np.tile(scores.mean(axis=0), (300, 1))
    row = METRICS[prepared.problem.metric]
    assert row.better(row.score(y, scores, None), row.score(y, constant, None))


def test_without_time_there_is_no_variant(studied: Study) -> None:
    prepared, _, work = studied
    blend = mean_of(studied)
    assert variant(prepared, work, blend, export(prepared, work, blend), 0.0) is None


def test_the_finish_leaves_both_files(studied: Study) -> None:
    prepared, records, work = studied
    champion = finish(prepared, work, records)
    compact = champion.compact
    if compact is None:  # one linear model is small enough
        assert champion.trial is not None
        assert champion.size_bytes < 100_000
        return
    content = (work / "champion" / COMPACT).read_bytes()
    assert len(content) >= compact.size_bytes
    kept = json.loads((work / "champion" / "champion.json").read_text())
    assert Champion.from_dict(kept).compact == compact
    card = Predictor(content).about("card")
    assert (card["name"], card["score"]) == (f"{champion.name}, compact", compact.score)
    assert card["members"] == list(compact.members)
    assert card["notes"][0].startswith(f"It scores {compact.score:.6g} where {champion.name} scores ")
    assert not any("trials gives" in note for note in card["notes"] if len(compact.members) == 1)
    assert card["threshold"] == Predictor(content).about("threshold")


def test_a_limit_takes_members_that_are_hardly_missed_then_fold_models(studied: Study) -> None:
    prepared, _, work = studied
    blend = mean_of(studied)
    whole = export(prepared, work, blend)

    def limited(limit: int | None) -> Prepared:
        spec = replace(prepared.spec, max_size_bytes=limit)
        return replace(prepared, spec=spec)

    assert within_limit(limited(None), work, blend) is blend
    assert within_limit(limited(10**9), work, blend) is blend
    assert within_limit(limited(1), work, None) is None
    half = len(whole.content) // 2
    lighter = within_limit(limited(half), work, blend)
    assert lighter is not None
    assert estimated_bytes(lighter.members) <= estimated_bytes(blend.members)
    assert len(export_within_limit(limited(half), work, blend, 3).content) <= half
    tiny = export_within_limit(limited(1), work, blend, 3)
    assert [
        tiny.folds,
        *(export_within_limit(limited(None), work, blend, most).folds for most in (2, 3)),
    ] == [1, 2, 3]
    assert tiny.parity["passed"]


def test_several_cores_write_and_prove_the_same_model(studied: Study) -> None:
    prepared, _, work = studied
    blend = mean_of(studied)
    alone, together = (export(prepared, work, blend, cores=cores) for cores in (1, 2))
    assert alone.content == together.content
    assert alone.parity == together.parity
