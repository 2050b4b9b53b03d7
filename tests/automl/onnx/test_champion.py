"""Whole champions: what goes into the file comes out of it, for every format and task."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.contract import Contract, take
from flowml.automl.onnx import Member, build, check, check_member, expected, gate
from flowml.automl.onnx.champion import labels
from flowml.automl.onnx.metadata import add
from flowml.automl.onnx.steps import STEPS, Step
from flowml.storage.errors import ExportError, ParityError
from flowml.storage.records import Task
from tests.automl.onnx.champions import CLASSES, Trained, train

CASES = [(key, task) for key, row in ALGORITHMS.items() for task in sorted(row.tasks)]
MIXTURES = {
    Task.BINARY: ("logistic", "lightgbm", "xgboost", "catboost", "random_forest", "dummy"),
    Task.MULTICLASS: ("logistic", "lightgbm", "xgboost", "catboost", "extra_trees", "dummy"),
    Task.REGRESSION: ("ridge", "lightgbm", "xgboost", "catboost", "random_forest", "dummy"),
}


@pytest.fixture(scope="module", params=list(Task))
def mixture(request: pytest.FixtureRequest) -> Trained:
    """An ensemble of all families, two folds each."""
    return train(request.param, MIXTURES[request.param])


@pytest.mark.parametrize(("key", "task"), CASES)
def test_every_format_passes_the_gate_for_every_task(key: str, task: Task) -> None:
    trained = train(task, (key,))
    content = build(trained.contract, trained.members)
    report = gate(content, trained.contract, trained.members, trained.feeds, spread=trained.spread)
    scale = 1.0 if task is not Task.REGRESSION else float(abs(trained.y).max())
    assert report["passed"]
    assert report["rows"] == report["real_rows"] + report["hostile_rows"] == 1300
    if ALGORITHMS[key].family != "linear" or task is not Task.REGRESSION:  # those go anywhere on wild rows
        assert report["max_difference"] < 1e-6 * scale


@pytest.mark.parametrize(("key", "task"), CASES)
def test_frozen_members_predict_as_their_estimators_did(key: str, task: Task) -> None:
    trained = train(task, (key,))
    for member, prediction in zip(trained.members, trained.predictions, strict=True):
        assert check_member(member, trained.feeds, prediction)["max_difference"] < 2e-4


@pytest.mark.parametrize("key", ["ridge", "lightgbm", "catboost", "random_forest"])
def test_targets_far_from_zero_keep_their_digits(key: str) -> None:
    """A billion with a spread of some 26: as float32 every value would be off by up to 32."""
    trained = train(Task.REGRESSION, (key,), shift=1e9)
    content = build(trained.contract, trained.members)
    report = gate(content, trained.contract, trained.members, trained.feeds, spread=trained.spread)
    if key != "ridge":
        assert report["max_difference"] < 1e-5 * trained.spread
    wanted = np.mean(trained.predictions, axis=0)
    assert check(content, trained.feeds, wanted, trained.contract, spread=trained.spread)["passed"]


def test_an_ensemble_of_all_families_is_the_mean_of_its_estimators(mixture: Trained) -> None:
    content = build(mixture.contract, mixture.members)
    mean = np.mean([np.asarray(p, np.float64) for p in mixture.predictions], axis=0)
    assert check(content, mixture.feeds, mean, mixture.contract)["passed"]
    assert gate(content, mixture.contract, mixture.members, mixture.feeds, spread=mixture.spread)["passed"]


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
def test_each_member_has_a_temperature_of_its_own(task: Task) -> None:
    trained = train(task, ("logistic", "lightgbm", "random_forest"))
    temperatures = (1.0, 0.4, 2.5)
    members = [replace(m, temperature=temperatures[i // 2]) for i, m in enumerate(trained.members)]
    content = build(trained.contract, members)
    logs = [
        np.log(np.clip(p, 1e-6, 1 - 1e-6)) / m.temperature
        for p, m in zip(trained.predictions, members, strict=True)
    ]
    mean = np.mean([np.exp(x) / np.exp(x).sum(axis=1, keepdims=True) for x in logs], axis=0)
    assert check(content, trained.feeds, mean, trained.contract)["passed"]
    assert gate(content, trained.contract, members, trained.feeds)["passed"]


def test_weights_are_shares(mixture: Trained) -> None:
    weighted = [
        Member(m.encoding, m.fitted, weight) for m, weight in zip(mixture.members, range(12), strict=True)
    ]
    content = build(mixture.contract, weighted)
    mean = np.average([np.asarray(p, np.float64) for p in mixture.predictions], axis=0, weights=range(12))
    assert check(content, mixture.feeds, mean, mixture.contract)["passed"]


@pytest.mark.parametrize("weights", [(), (0.0,), (-1.0, 2.0), (np.nan,), (np.inf,)])
def test_weights_that_make_no_blend_are_refused(weights: tuple[float, ...], mixture: Trained) -> None:
    first = mixture.members[0]
    with pytest.raises(ExportError, match="make no blend"):
        build(mixture.contract, [Member(first.encoding, first.fitted, weight) for weight in weights])


def test_bare_onnxruntime_with_its_defaults_gives_the_same(mixture: Trained) -> None:
    session = onnxruntime.InferenceSession(build(mixture.contract, mixture.members))
    names = [out.name for out in session.get_outputs()]
    answers = dict(zip(names, session.run(None, mixture.feeds), strict=True))
    wanted = expected(mixture.contract, mixture.members, mixture.feeds)
    if mixture.contract.task is Task.REGRESSION:
        assert names == ["prediction"]
        assert answers["prediction"] == pytest.approx(wanted, rel=1e-6)
        return
    assert names == ["label", "probabilities"]
    assert answers["probabilities"] == pytest.approx(wanted, abs=1e-6)
    assert answers["label"].tolist() == labels(mixture.contract, wanted)
    assert set(answers["label"]) <= set(CLASSES[mixture.contract.task])


def test_the_file_is_the_same_each_time_and_says_what_it_is(mixture: Trained) -> None:
    content = build(mixture.contract, mixture.members, {"score": 0.9, "versions": {"numpy": "2"}})
    assert content == build(mixture.contract, mixture.members, {"score": 0.9, "versions": {"numpy": "2"}})
    model = onnx.load_from_string(add(content, {"parity": {"passed": True}, "score": 0.8}))
    onnx.checker.check_model(model, full_check=True)
    assert model.producer_name == "flowml-studio"
    assert (model.ir_version, [(o.domain, o.version) for o in model.opset_import]) == (
        10,
        [("", 21), ("ai.onnx.ml", 5)],
    )
    texts = {each.key: each.value for each in model.metadata_props}
    assert json.loads(texts["flowml.score"]) == 0.8
    assert json.loads(texts["flowml.parity"]) == {"passed": True}
    assert Contract.from_dict(json.loads(texts["flowml.contract"])) == mixture.contract
    assert texts["flowml.task"] == mixture.contract.task


def test_a_difference_is_refused_with_the_row_that_shows_it(mixture: Trained) -> None:
    content = build(mixture.contract, mixture.members)
    wanted = expected(mixture.contract, mixture.members, mixture.feeds)
    wanted[17] += 0.01 * mixture.spread
    with pytest.raises(ParityError, match=r"on 1 of 300 rows, by .* on row 17 where"):
        check(content, mixture.feeds, wanted, mixture.contract)
    wanted[17] = np.nan
    with pytest.raises(ParityError, match="on row 17"):
        check(content, mixture.feeds, wanted, mixture.contract)


def test_a_member_of_another_task_is_refused() -> None:
    binary, many = train(Task.BINARY, ("dummy",)), train(Task.MULTICLASS, ("dummy",))
    with pytest.raises(ExportError, match="predicts 2 values, the contract says 3"):
        build(many.contract, binary.members)


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.REGRESSION])
def test_the_networks_of_all_folds_take_no_more_operators_than_two(task: Task) -> None:
    few, many = (train(task, ("mlp",), folds=folds) for folds in (2, 4))
    files = [build(each.contract, each.members) for each in (few, many)]
    sizes = [len(onnx.load_from_string(content).graph.node) for content in files]
    assert sizes[1] - sizes[0] <= 4 * 2  # what prepares the features of two more folds
    session = onnxruntime.InferenceSession(files[1], providers=["CPUExecutionProvider"])
    name = "prediction" if task is Task.REGRESSION else "probabilities"
    (together,) = session.run([name], many.feeds)
    alone = np.concatenate(
        [session.run([name], take(many.feeds, slice(row, row + 1)))[0] for row in range(len(together))]
    )
    assert np.abs(alone - together).max() < 1e-6 * (many.spread or 1.0)


def test_skl2onnx_models_are_pasted() -> None:
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPClassifier

    from flowml.automl.fitted import Fitted

    trained = train(Task.MULTICLASS, ("logistic",), folds=2)
    encoding = trained.members[0].encoding
    X = encoding.transform(trained.feeds)
    network = MLPClassifier((8,), tol=1.0, random_state=0).fit(X, trained.y)
    options = {id(network): {"zipmap": False}}
    converted = to_onnx(network, X[:1], options=options, target_opset={"": 21, "ai.onnx.ml": 3})
    fitted = Fitted("onnx", "probability", converted.SerializeToString(), 3)
    members = (*trained.members, Member(encoding, fitted), Member(encoding, fitted))
    content = build(trained.contract, members)
    mean = np.mean([*trained.predictions, network.predict_proba(X), network.predict_proba(X)], axis=0)
    assert check(content, trained.feeds, mean, trained.contract)["passed"]
    assert gate(content, trained.contract, members, trained.feeds)["max_difference"] < 1e-6


def test_learned_logarithms_are_undone() -> None:
    from dataclasses import replace

    trained = train(Task.REGRESSION, ("lightgbm", "ridge", "random_forest"))
    logs = np.log(trained.y)
    small = [replace(m.fitted, link="expm1") for m in train_on(trained, logs).members]
    members = [Member(m.encoding, fitted) for m, fitted in zip(trained.members, small, strict=True)]
    content = build(trained.contract, members)
    assert gate(content, trained.contract, members, trained.feeds, spread=trained.spread)["passed"]


def train_on(trained: Trained, y: np.ndarray) -> Trained:
    """The same members with another target."""
    from dataclasses import replace

    from flowml.automl.algorithms.row import FoldTable
    from tests.automl.algorithms.folds import context, shape_of

    members = []
    for key in ("lightgbm", "ridge", "random_forest"):
        row = ALGORITHMS[key]
        encoding = next(m.encoding for m in trained.members if m.encoding.key == row.encoding)
        X = encoding.transform(trained.feeds)
        params = row.defaults(shape_of(Task.REGRESSION, len(y))) | {"encoding": row.encoding}
        table = FoldTable(X, y, None, X, y, None, Task.REGRESSION, 1, "rmse", encoding.categorical)
        few = {"rounds": 20} if "rounds" in params else {}
        fitted = row.fit(table, params | few, context()).freeze()
        members += [Member(encoding, fitted), Member(encoding, fitted)]
    return replace(trained, members=tuple(members))


STEP_CASES = [
    (Task.BINARY, Step("temperature", {"temperature": 2.5})),
    (Task.MULTICLASS, Step("temperature", {"temperature": 0.4})),
    (Task.BINARY, Step("isotonic", {"x": [0.1, 0.3, 0.35, 0.9], "y": [0.0, 0.2, 0.7, 1.0]})),
    (Task.BINARY, Step("isotonic", {"x": [0.5], "y": [0.25]})),
    (Task.REGRESSION, Step("scale", {"factor": 3.0, "offset": -7.0})),
    (Task.REGRESSION, Step("limits", {"low": 1050.0, "high": 1100.0})),
    (Task.REGRESSION, Step("expm1")),
]


@pytest.mark.parametrize(("task", "step"), STEP_CASES)
def test_steps_after_the_blend_have_an_exact_twin(task: Task, step: Step) -> None:
    trained = train(task, ("lightgbm",))
    steps = (Step("scale", {"factor": 0.001, "offset": 0.0}), step) if step.kind == "expm1" else (step,)
    content = build(trained.contract, trained.members, steps=steps)
    assert gate(content, trained.contract, trained.members, trained.feeds, steps=steps)["passed"]
    plain = expected(trained.contract, trained.members, trained.feeds)
    assert not np.allclose(plain, expected(trained.contract, trained.members, trained.feeds, steps=steps))


def test_every_step_has_a_case() -> None:
    assert {step.kind for _, step in STEP_CASES} == set(STEPS)


@pytest.mark.parametrize("threshold", [0.2, 0.8])
def test_a_threshold_moves_the_label_not_the_probability(threshold: float) -> None:
    trained = train(Task.BINARY, ("lightgbm",))
    content = build(trained.contract, trained.members, threshold=threshold)
    report = gate(content, trained.contract, trained.members, trained.feeds, threshold=threshold)
    assert report["labels_equal"]
    session = onnxruntime.InferenceSession(content)
    label, probabilities = session.run(None, take(trained.feeds, slice(0, 300)))
    assert ((label == "yes") == (probabilities[:, 1] >= threshold)).all()
