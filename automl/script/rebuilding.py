"""The function `rebuild` of a script: from the table to the scores."""

from __future__ import annotations

from flowml.automl.calibration import CALIBRATED
from flowml.automl.script import encodings
from flowml.automl.script.basis import Basis
from flowml.automl.script.written import Call
from flowml.automl.splitters import MAX_HOLDOUT
from flowml.automl.threshold import THRESHOLDED
from flowml.storage.records import Role, Task, TrialRecord

HEAD = '''def rebuild(path: str) -> tuple[list[float], float | None]:
    """The score of each fold, and that of all rows together."""
    table = pl.read_parquet(path)'''


def scored(basis: Basis, metric: str) -> str:
    """The function that scores predictions as the study does."""
    key, lines = basis.known.metric, list[str]()
    if key in CALIBRATED:
        lines.append(f"prediction = calibrated(prediction, y, weights, score, {basis.spec.seed})")
    if key in THRESHOLDED and basis.outputs == 2:
        lines.append("prediction = by_threshold(prediction, y, weights, score)")
    body = "\n    ".join([f"score = {metric}", *lines, "return score(y, prediction, weights)"])
    return f"def scored(prediction: Array, y: Array, weights: Weights) -> float:\n    {body}"


def rebuild(row: TrialRecord, basis: Basis, call: Call) -> str:
    key = _encoding(row)
    lines = [
        *_target(basis),
        *_roles(basis),
        *_folds(basis),
        "X = np.hstack([",
        *(f"    {block}," for block in encodings.blocks(key, basis)),
        "])",
        *encodings.lessons(key, basis),
        "scores, predictions = list[float](), list[Array]()",
        "for k, (train, valid) in enumerate(folds[: len(STORED)]):",
        *(f"    {line}" for line in _one_fold(row, basis, call)),
        *_ending(basis),
    ]
    return "\n    ".join([HEAD, *lines])


def _encoding(row: TrialRecord) -> str:
    from flowml.automl.algorithms import ALGORITHMS

    return ALGORITHMS[row.algorithm].encoding_for(row.params)


def _target(basis: Basis) -> list[str]:
    if basis.known.task is Task.REGRESSION:
        found = "finite(table[TARGET]).cast(pl.Float64)"
    else:
        found = f"classes_of(table[TARGET], CLASSES, whole={basis.known.label_type == 'integer'})"
    return [
        f"target = {found}",
        "table, y = table.filter(target.is_not_null()), target.drop_nulls().to_numpy()",
    ]


def _roles(basis: Basis) -> list[str]:
    lines = []
    if weight := basis.with_role(Role.WEIGHT):
        lines += [f"weights = numbers(table[{weight!r}])", "weights = weights / weights.mean()"]
    if group := basis.with_role(Role.GROUP):
        lines.append(f"groups = groups_of(table[{group!r}])")
    return lines


def _folds(basis: Basis) -> list[str]:
    kind, folds, column = basis.split
    draw, classes = f"np.random.default_rng({basis.spec.seed})", basis.known.task is not Task.REGRESSION
    dealt = f"dealt(y, {classes}, {folds}, draw)"
    match kind:
        case "time":
            return [f"folds = forward(times_of(table[{column!r}]), {folds})"]
        case "group":
            return [f"folds = by_group(groups, {folds}, {draw})"]
        case "holdout":
            parts = min(max(5, -(-basis.rows // MAX_HOLDOUT)), basis.rows)
            return [f"folds = dealt(y, {classes}, {parts}, {draw})[:1]"]
        case "repeated":
            return [f"draw = {draw}", f"folds = {dealt} + {dealt}"]
        case _:
            return [f"folds = dealt(y, {classes}, {folds}, {draw})"]


def _one_fold(row: TrialRecord, basis: Basis, call: Call) -> list[str]:
    weighted = bool(basis.with_role(Role.WEIGHT))
    logged = basis.known.task is Task.REGRESSION and row.params.get("target") == "log"
    lines, X, X_valid, train = list[str](), "X[train]", "X[valid]", "train"
    if encodings.lessons(_encoding(row), basis):
        y = "np.log1p(y)" if "target" in row.params else "y"
        weights, groups = "weights" if weighted else "None", basis.with_role(Role.GROUP)
        given = f"{y}, CLASSES, {weights}, {'groups' if groups else 'None'}, [{basis.spec.seed}, k]"
        lines.append(f"own, others = lesson_of(coded, vocabularies, (train, valid), {given})")
        X, X_valid = "np.hstack([X[train], own])", "np.hstack([X[valid], others])"
    if row.rows is not None:
        lines.append(f"some = sample(y[train], len(CLASSES), {row.rows}, {basis.spec.seed} + k)")
        X, train = f"{X}[some]", "train[some]"
    y, y_valid = f"y[{train}]", "y[valid]"
    if logged:
        y, y_valid = f"np.log1p({y})", f"np.log1p({y_valid})"
    weights, weights_valid = (f"weights[{train}]", "weights[valid]") if weighted else ("None", "None")
    called = f"{call.function}(fold, {call.arguments})"
    return [
        *lines,
        f"fold = Fold({X}, {y}, {weights}, {X_valid}, {y_valid}, {weights_valid}, {basis.outputs})",
        f"predictions.append({f'np.expm1({called})' if logged else called})",
        f"scores.append(scored(predictions[-1], y[valid], {weights_valid}))",
    ]


def _ending(basis: Basis) -> list[str]:
    weights = "weights[rows]" if basis.with_role(Role.WEIGHT) else "None"
    return [
        "if SCORE is None:",
        "    return scores, None",
        "oof, rows = gathered(folds, predictions, len(y))",
        f"return scores, scored(oof, y[rows], {weights})",
    ]
