"""What is to be learned: the rows, columns, target, task and metric of one job, checked."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
import polars as pl

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


@dataclass(frozen=True)
class Feature:
    name: str
    role: Role
    type: str  # as in Column


@dataclass(frozen=True)
class Problem:
    """`frame` holds the feature columns of the rows whose target is known; y and the others go with it."""

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
    target = read_target(_column(frame, spec.target), spec.task)
    features = _features(schema, roles)
    kept = frame.filter(pl.Series(target.keep))
    if kept.height < MIN_ROWS:
        raise TooFewRows(
            f"{kept.height} rows have a usable target, at least {MIN_ROWS} are needed.",
            "Add rows to the table.",
        )
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
        findings=(*target.findings, *_left_out(roles)),
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
    roles = {c.name: c.role for c in schema.columns if c.name in frame.columns} | spec.roles
    if kind in ("group", "time"):
        roles[split_column] = Role(kind)
    roles = {n: _feature_role(schema.column(n)) if r is Role.TARGET else r for n, r in roles.items()}
    return roles | {spec.target: Role.TARGET}


def _feature_role(column: Column | None) -> Role:
    """For a column that was guessed to be a target but is not the one chosen."""
    if column is None or column.type not in ("number", "integer", "boolean"):
        return Role.CATEGORICAL
    return Role.BOOLEAN if column.type == "boolean" else Role.NUMERIC


def _features(schema: DatasetSchema, roles: dict[str, Role]) -> tuple[Feature, ...]:
    features = [Feature(c.name, roles[c.name], c.type) for c in schema.columns if c.name in roles]
    features = [f for f in features if f.role in FEATURE_ROLES]
    if not features:
        dropped = ", ".join(f"{n} ({r})" for n, r in roles.items() if r is not Role.TARGET)
        raise DataError(
            f"No column is left to learn from; the others are: {dropped or 'none'}.",
            "Give at least one column the role numeric, categorical, datetime or text.",
        )
    return tuple(features)


def _left_out(roles: dict[str, Role]) -> list[Finding]:
    kinds = (Role.IDENTIFIER, Role.CONSTANT, Role.IGNORED)
    names = {name: role for name, role in roles.items() if role in kinds}
    if not names:
        return []
    listed = ", ".join(f"{name} ({role})" for name, role in list(names.items())[:20])
    kept = "1 column is" if len(names) == 1 else f"{len(names)} columns are"
    message = f"{kept} not learned from: {listed}{', …' if len(names) > 20 else ''}."
    return [Finding("left_out", Severity.NOTE, message, evidence={"columns": list(names)})]


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
