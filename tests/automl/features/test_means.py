"""Means of the target: shrunk, never of a row's own target, and the same numbers in the graph."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.blend import Blend
from flowml.automl.candidate import Candidate
from flowml.automl.contract import Contract, Feeds, take
from flowml.automl.evaluate import Limits, evaluate
from flowml.automl.export import members_of
from flowml.automl.features import ENCODINGS, SUPERVISED, Encoding, fit, means
from flowml.automl.features.encoding import BLOCKS
from flowml.automl.features.words import WordMeans
from flowml.automl.onnx.champion import build, expected
from flowml.automl.onnx.parity import gate
from flowml.automl.prepared import Prepared, prepare_frame
from flowml.automl.shape import MANY
from flowml.storage.errors import SpecError
from flowml.storage.records import JobSpec, Role, Task
from tests.automl.features.test_encodings import same_bits, twin
from tests.automl.tables import schema_of

KINDS = 60
TARGETS = {Task.REGRESSION: "spend", Task.BINARY: "left", Task.MULTICLASS: "plan"}


def shops(rows: int = 600, seed: int = 0) -> pl.DataFrame:
    """What is spent depends on the shop; a few rows have none."""
    draw = np.random.default_rng(seed)
    shop = draw.integers(0, KINDS, rows)
    effect = draw.normal(size=KINDS)[shop]
    signal = effect + 0.5 * draw.normal(size=rows)
    return pl.DataFrame(
        {
            "size": draw.normal(size=rows),
            "shop": [None if draw.random() < 0.03 else f"shop {n}" for n in shop],
            "spend": 1e6 + signal,
            "left": np.where(signal > 0, "yes", "no"),
            "plan": np.array(["a", "b", "c"])[np.digitize(signal, [-0.5, 0.5])],
        }
    )


def prepared(task: Task = Task.REGRESSION, **spec: Any) -> Prepared:
    target = TARGETS[task]
    frame = shops().drop([name for name in TARGETS.values() if name != target])
    return prepare_frame(frame, schema_of(frame), JobSpec(target, **{"folds": 3, **spec}))


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("key", SUPERVISED)
def test_every_fold_equals_its_twin_bit_by_bit(key: str, task: Task) -> None:
    table = prepared(task)
    for index, (_, valid) in enumerate(table.folds.pairs):
        encoding = table.encoding(key, index)
        assert encoding.supervised
        assert len(encoding.sources) == len(encoding.names)
        assert set(encoding.sources) == {"size", "shop"}
        checked = take(table.feeds, valid)
        _, X_valid = table.fold(key, index)
        assert same_bits(encoding.transform(checked), X_valid)
        assert same_bits(twin(encoding, table.contract, checked), X_valid)
        strange: Feeds = {name: values[:4].copy() for name, values in checked.items()}
        strange["shop"][:, 0] = ["never seen", "", "None", "SHOP 1"]
        assert same_bits(twin(encoding, table.contract, strange), encoding.transform(strange))
    assert Encoding.from_dict(json.loads(json.dumps(encoding.to_dict()))) == encoding


def test_rows_to_check_have_no_say_in_the_features_of_their_fold() -> None:
    table, key = prepared(), "ordinal_means"
    y = table.problem.y.copy()
    y[table.folds.pairs[0][1]] += 1e9
    changed = replace(table.problem, y=y)
    again = Prepared(changed, table.folds, table.contract, table.feeds, table.shape, table.spec)
    for one, other in zip(again.fold(key, 0), table.fold(key, 0), strict=True):
        assert same_bits(one, other)
    assert again.encoding(key, 0) == table.encoding(key, 0)
    assert again.encoding(key, 1) != table.encoding(key, 1)


def test_the_own_target_of_a_row_does_not_reach_its_feature() -> None:
    """Among unrelated categories a mean that held a row's own target would foretell it."""
    draw = np.random.default_rng(0)
    rows, codes = 3000, draw.integers(0, 1000, 3000)
    sides = draw.normal(size=(rows, 1))
    part = means.deal(rows, None, draw)
    sums = means.learn(_books(1000), [codes], (sides, ("",)), np.ones(rows), part)
    assert abs(np.corrcoef(sums[1][:, 0], sides[:, 0])[0, 1]) < 0.06


def _books(size: int) -> tuple[means.Codebook, ...]:
    return (means.Codebook("x", tuple(f"k{n}" for n in range(size - 2)), size - 2.0, size - 1.0),)


def test_means_of_few_rows_are_drawn_to_the_middle() -> None:
    codes = np.repeat([0, 1, 2, 3], [200, 200, 2, 2])
    draw = np.random.default_rng(1)
    sides = (np.array([0.0, 1.0, 0.0, 1.0])[codes] + np.tile([-1.0, 1.0], 202))[:, None]
    learned, _ = means.learn(_books(6), [codes], (sides, ("",)), np.ones(404), means.deal(404, None, draw))
    table = np.array(learned.tables[0])[:, 0]
    assert abs(table[2:4]).max() < abs(table[:2]).min()
    assert table[4] == table[5] == 0.0  # nothing is known of what training never saw


def test_groups_stay_together_in_the_parts() -> None:
    groups = np.repeat(np.arange(40), 5)
    part = means.deal(200, groups, np.random.default_rng(0))
    assert all(len(set(part[groups == g])) == 1 for g in range(40))
    assert set(part) == set(range(means.PARTS))


def test_a_lesson_is_learned_once_for_all_encodings() -> None:
    table = prepared()
    assert table.encoding("ordinal_means", 1) is table.encoding("ordinal_means", 1)
    assert table.encoding("ordinal_means", 1).blocks[-1] is table.encoding("onehot_means", 1).blocks[-1]
    assert table.encoding("ordinal_means", 1) != table.encoding("ordinal_means", 2)


def test_few_categories_need_no_means() -> None:
    table = prepared(roles={"shop": Role.IGNORED})
    assert table.shape.max_cardinality <= MANY
    assert table.encoding("native_means", 0) is table.encoding("native", 0)
    with pytest.raises(SpecError, match="native_means"):
        table.fold("target", 0)


@pytest.mark.parametrize("algorithm", ["lightgbm", "xgboost", "catboost", "extra_trees", "ridge"])
def test_every_family_learns_from_means_and_exports(algorithm: str, tmp_path: Any) -> None:
    table = prepared()
    row = ALGORITHMS[algorithm]
    params = row.defaults(table.shape)
    assert params["encoding"] in SUPERVISED
    params |= {name: value for name, value in (("rounds", 25), ("trees", 10)) if name in params}
    outcome = evaluate(table, Candidate(0, algorithm, params), Limits(60))
    assert outcome.oof is not None
    assert np.corrcoef(outcome.oof, table.problem.y)[0, 1] > 0.7
    outcome.save(tmp_path / "trials" / "0")
    blend = Blend((outcome.record,), (1.0,), outcome.oof, 0.0, ())
    members = members_of(table, tmp_path, blend, table.folds.kept)
    content = build(table.contract, members)
    assert gate(content, table.contract, members, table.feeds, spread=1.0)["passed"]
    assert np.isfinite(expected(table.contract, members, table.feeds)).all()


def test_every_block_is_compared_with_its_twin_somewhere(contract: Contract, mixed: pl.DataFrame) -> None:
    feeds, _ = contract.accept(mixed)
    used = {type(block) for key in ENCODINGS for block in fit(key, contract, feeds).blocks}
    taught = {type(block) for block in prepared().encoding("native_means", 0).blocks}
    assert used | taught | {WordMeans} == set(BLOCKS.values())


def test_codes_of_a_column_with_means_are_not_split_as_sets() -> None:
    frame = shops().with_columns(size=pl.Series(["small", "large"] * 300))
    frame = frame.select("size", "shop", "spend")
    table = prepare_frame(frame, schema_of(frame), JobSpec("spend", folds=3))
    names = {key: table.encoding(key, 0) for key in ("native", "native_means")}
    split = {key: {one.names[place] for place in one.categorical} for key, one in names.items()}
    assert split == {"native": {"size", "shop"}, "native_means": {"size"}}
