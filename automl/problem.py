"""What is to be learned: the rows, columns, target, task and metric of one job, checked."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
import polars as pl

from flowml.automl.columns import useless
from flowml.automl.metrics import METRICS, Array, Metric, metric_for
from flowml.automl.target import Target, read_target
from flowml.storage.errors import DataError, SpecError, TooFewRows, UnknownColumn
from flowml.storage.records import (
    FEATURE_ROLES,
    Column,
    DatasetSchema,
    Finding,
    JobSpec,
    Role,
    Severity,
    Task,
)

SPLIT_KINDS = ("auto", "random", "group", "time", "holdout")
MIN_ROWS = 4
LEFT_OUT = frozenset({Role.IDENTIFIER, Role.CONSTANT, Role.IGNORED})


@dataclass(frozen=True)
class Feature:
    name: str
    role: Role
    type: str  # as in Column
    written: tuple[str, ...] = ()  # as in Column


@dataclass(frozen=True)
class Problem:
    """`frame` holds the feature columns of the rows whose target is known; y and the others go with it.

    In `Prepared` it is empty: the feeds take its place.
    """

    task: Task
    reason: str
    target: str
    classes: tuple[str, ...]  # labels as text in the order of the codes; empty for regression
    label_type: str
    metric: str
    features: tuple[Feature, ...]
    frame: pl.DataFrame
    y: Array
    weights: Array | None
    groups: Array | None
    times: Array | None
    schema: DatasetSchema
    findings: tuple[Finding, ...]
    seed: int

    @property
    def measure(self) -> Metric:
        """The row of the metric."""
        return METRICS[self.metric]

    @property
    def direction(self) -> str:
        return self.measure.direction

    @property
    def rows(self) -> int:
        return len(self.y)

    @property
    def outputs(self) -> int:
        """Columns of a prediction: the number of classes, or 1."""
        return len(self.classes) or 1


def define(frame: pl.DataFrame, schema: DatasetSchema, spec: JobSpec) -> Problem:
    """Check a job against its table. Raises errors of InputError that say what to mend."""
    _check_spec(spec)
    roles = _roles(frame, schema, spec)
    column = _column(frame, spec.target)
    _check_rows(frame.height, "")
    target = read_target(column, spec.task)
    kept = frame.filter(pl.Series(target.keep))
    _check_rows(kept.height, " with a usable target")
    given = {name for name in spec.roles if roles[name] in FEATURE_ROLES}
    features, reasons = _features(kept, schema, roles, given)
    metric = metric_for(spec.metric, target.task)
    _check_domain(metric, target, spec.target)
    return Problem(
        task=target.task,
        reason=target.reason,
        target=spec.target,
        classes=target.classes,
        label_type=target.label_type,
        metric=metric.key,
        features=features,
        frame=kept.select([f.name for f in features]),
        y=target.y,
        weights=_weights(kept, _one_with(roles, Role.WEIGHT)),
        groups=_groups(kept, _one_with(roles, Role.GROUP)),
        times=_times(kept, _one_with(roles, Role.TIME)),
        schema=schema,
        findings=(*target.findings, *_left_out(reasons)),
        seed=spec.seed,
    )


def split_choice(spec: JobSpec) -> tuple[str, str]:
    """The kind of split a job asks for, and the column it names or nothing."""
    kind, _, column = spec.split.partition(":")
    if kind not in SPLIT_KINDS or (kind in ("group", "time")) != bool(column):
        raise SpecError(
            f"Unknown split {spec.split!r}.", "Use auto, random, holdout, group:COLUMN or time:COLUMN."
        )
    return kind, column


def _check_spec(spec: JobSpec) -> None:
    ranges = (
        ("budget_s", spec.budget_s, 0.0, "seconds above 0"),
        ("folds", spec.folds, 1, "2 or more"),
        ("max_trials", spec.max_trials, 0, "1 or more"),
        ("trials_per_algorithm", spec.trials_per_algorithm, 0, "1 or more"),
    )
    for name, value, above, expected in ranges:
        if value is not None and not value > above:
            raise SpecError(f"The setting {name} is {value}.", f"Give {expected}.")


def _check_rows(rows: int, which: str) -> None:
    if rows < MIN_ROWS:
        raise TooFewRows(
            f"The table has {rows} {'row' if rows == 1 else 'rows'}{which}; at least {MIN_ROWS} are needed.",
            "Add rows to the table.",
        )


# --- columns ----------------------------------------------------------------------------------------------


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    if name in frame.columns:
        return frame[name]
    near = difflib.get_close_matches(name, frame.columns, n=1, cutoff=0.5)
    advice = f"Did you mean {near[0]!r}? " if near else ""
    shown = ", ".join(frame.columns[:20]) + (", …" if frame.width > 20 else "")
    raise UnknownColumn(f"The table has no column {name!r}.", f"{advice}Its columns: {shown}.")


def _roles(frame: pl.DataFrame, schema: DatasetSchema, spec: JobSpec) -> dict[str, Role]:
    """The role of each column: as guessed, as the user overrides it, and as target and split ask."""
    kind, split_column = split_choice(spec)
    for name in (spec.target, *spec.roles, *filter(None, (split_column,))):
        _column(frame, name)
    given = {name: _role(name, role) for name, role in spec.roles.items()}
    known = set(frame.columns)
    roles = {c.name: c.role for c in schema.columns if c.name in known} | given
    if kind in ("group", "time"):
        if split_column == spec.target:
            raise SpecError(f"The split is by the target {spec.target!r}.", "Split by another column.")
        roles[split_column] = Role(kind)
    roles = {n: _feature_role(schema.column(n)) if r is Role.TARGET else r for n, r in roles.items()}
    return roles | {spec.target: Role.TARGET}


def _role(name: str, role: str) -> Role:
    if role not in tuple(Role):
        raise SpecError(f"The role of {name!r} is {role!r}.", f"Use one of {', '.join(Role)}.")
    return Role(role)


def _feature_role(column: Column | None) -> Role:
    """For a column that was guessed to be a target but is not the one chosen."""
    if column is None or column.type not in ("number", "integer", "boolean"):
        return Role.CATEGORICAL
    return Role.BOOLEAN if column.type == "boolean" else Role.NUMERIC


def _features(
    kept: pl.DataFrame, schema: DatasetSchema, roles: dict[str, Role], given: set[str]
) -> tuple[tuple[Feature, ...], dict[str, str]]:
    """The columns to learn from, and why the others are left out. Roles that the user gave are followed."""
    asked = [Feature(c.name, roles[c.name], c.type, c.written) for c in schema.columns if c.name in roles]
    asked = [feature for feature in asked if feature.role in FEATURE_ROLES]
    reasons = {name: str(role) for name, role in roles.items() if role in LEFT_OUT}
    reasons |= useless(kept, schema, (feature.name for feature in asked if feature.name not in given))
    features = tuple(feature for feature in asked if feature.name not in reasons)
    if not features:
        raise DataError(
            f"No column is left to learn from; the others are: {_listed(reasons) or 'none'}.",
            "Give at least one column the role numeric, categorical, datetime or text.",
        )
    return features, reasons


def _left_out(reasons: dict[str, str]) -> list[Finding]:
    if not reasons:
        return []
    kept = "1 column is" if len(reasons) == 1 else f"{len(reasons)} columns are"
    message = f"{kept} not learned from: {_listed(reasons)}."
    advice = "Give a column a role of your choice if it should be learned from."
    return [Finding("left_out", Severity.NOTE, message, advice=advice, evidence={"columns": list(reasons)})]


def _listed(reasons: dict[str, str], most: int = 20) -> str:
    shown = ", ".join(f"{name} ({why})" for name, why in list(reasons.items())[:most])
    return shown + (f" and {len(reasons) - most} more" if len(reasons) > most else "")


def _one_with(roles: dict[str, Role], role: Role) -> str | None:
    names = [name for name, each in roles.items() if each is role]
    if len(names) > 1:
        raise SpecError(
            f"{len(names)} columns have the role {role}: {', '.join(names)}.", "Keep one of them."
        )
    return names[0] if names else None


# --- what goes with the rows ------------------------------------------------------------------------------


def _check_domain(metric: Metric, target: Target, name: str) -> None:
    y = target.y
    bad = {"any": 0, "non_negative": int(np.sum(y < 0)), "non_zero": int(np.sum(y == 0))}[metric.domain]
    if bad:
        kind = "negative" if metric.domain == "non_negative" else "zero"
        raise SpecError(
            f"{metric.label} is not defined where the target is {kind}, as {name!r} is in {bad} rows.",
            "Choose another metric, such as mae or smape.",
        )


def _weights(frame: pl.DataFrame, name: str | None) -> Array | None:
    if name is None:
        return None
    column = frame[name]
    if not column.dtype.is_numeric():
        raise DataError(f"The weight column {name!r} is not numeric.", "Choose a column of numbers.")
    weights: Array = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    bad = int(np.sum(~(np.isfinite(weights) & (weights >= 0))))
    if bad or not weights.any():
        raise DataError(
            f"The weight column {name!r} has {bad} missing or negative values, or only zeros.",
            "Every row needs a weight of 0 or more, and some row one above 0.",
        )
    scaled: Array = weights / weights.mean()
    return scaled


def _groups(frame: pl.DataFrame, name: str | None) -> Array | None:
    if name is None:
        return None
    codes: Array = frame[name].cast(pl.String).fill_null("").rank("dense").cast(pl.Int64).to_numpy()
    return codes


def _times(frame: pl.DataFrame, name: str | None) -> Array | None:
    if name is None:
        return None
    column = frame[name]
    if not (column.dtype.is_temporal() or column.dtype.is_numeric()) or column.null_count():
        raise DataError(
            f"The time column {name!r} is of type {column.dtype} with {column.null_count()} missing values.",
            "It must hold a date, a time or a number in every row.",
        )
    times: Array = column.to_physical().cast(pl.Float64).to_numpy()
    return times
