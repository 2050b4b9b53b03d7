"""The target column: which task it asks for, and its values as codes or numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from flowml.automl.metrics import Array
from flowml.storage.errors import BadTarget, SpecError
from flowml.storage.records import Finding, Severity, Task

MAX_CLASSES = 1000
MOST_PROBABILITIES = 200_000_000  # rows times classes: 1.6 GB of predictions that a trial makes
MAX_INTEGER_CLASSES = 12  # whole numbers with more distinct values than this are quantities, not classes
TASKS = ("auto", *Task)


@dataclass(frozen=True)
class Target:
    """A learnable target. `keep` marks the rows of the table that have one; `y` has an entry for each."""

    task: Task
    reason: str
    classes: tuple[str, ...]
    label_type: str  # string, integer or boolean; empty for regression
    y: Array
    keep: Array
    findings: tuple[Finding, ...]


def read_target(column: pl.Series, asked: str) -> Target:
    """Raises BadTarget for what cannot be learned and SpecError for an unknown task."""
    if asked not in TASKS:
        raise SpecError(f"Unknown task {asked!r}.", f"Use one of {', '.join(TASKS)}.")
    values, findings = _known(column)
    task, reason = _choose_task(values.drop_nulls(), asked)
    if task is Task.REGRESSION:
        return _numbers(values, reason, findings)
    return _labels(values, task, reason, findings)


def _known(column: pl.Series) -> tuple[pl.Series, list[Finding]]:
    """The column with one kind of missing, null, and a finding if there is any."""
    values = column
    if values.dtype in (pl.Categorical, pl.Enum):
        values = values.cast(pl.String)
    if values.dtype == pl.String:
        values = values.str.strip_chars().replace("", None)
    elif values.dtype.is_numeric():
        values = values.to_frame("y").select(pl.when(pl.col("y").cast(pl.Float64).is_finite()).then("y"))["y"]
    elif values.dtype not in (pl.Boolean, pl.Null):
        raise BadTarget(
            f"The target {column.name!r} is of type {column.dtype}, which cannot be predicted.",
            "Choose a column of numbers, words or yes/no, or turn it into one.",
        )
    values = values.alias(column.name)
    missing = values.null_count()
    if missing == len(values):
        raise BadTarget(f"The target {column.name!r} has no value in any row.", "Choose another column.")
    return values, [_left_out(column.name, missing, len(values))] if missing else []


def _left_out(name: str, missing: int, rows: int) -> Finding:
    return Finding(
        "missing_target",
        Severity.WARNING if missing > rows / 5 else Severity.NOTE,
        f"{missing} of {rows} rows have no usable value in the target {name!r} and are left out.",
        column=name,
        evidence={"rows": missing},
    )


# --- task -------------------------------------------------------------------------------------------------


def _choose_task(values: pl.Series, asked: str) -> tuple[Task, str]:
    distinct = values.n_unique()
    if distinct < 2:
        raise BadTarget(
            f"The target {values.name!r} has the same value, {values[0]!r}, in every row: nothing to learn.",
            "Choose a column that varies, or add rows.",
        )
    task, reason = _detect(values, distinct)
    if asked == "auto" or asked == task:
        return task, reason
    return _asked_task(values, distinct, Task(asked))


def _detect(values: pl.Series, distinct: int) -> tuple[Task, str]:
    if values.dtype == pl.Boolean:
        return Task.BINARY, "The target is true or false."
    if distinct == 2:
        first, second = values.unique().sort().to_list()
        return Task.BINARY, f"The target has two values, {first} and {second}."
    if values.dtype == pl.String:
        return Task.MULTICLASS, f"The target has {distinct} different words."
    if _whole(values) and distinct <= MAX_INTEGER_CLASSES and len(values) >= 5 * distinct:
        return Task.MULTICLASS, f"The target has only {distinct} different whole numbers."
    kind = "whole numbers" if _whole(values) else "numbers with fractions"
    return Task.REGRESSION, f"The target has {distinct} different values that are {kind}."


def _asked_task(values: pl.Series, distinct: int, asked: Task) -> tuple[Task, str]:
    if asked is Task.REGRESSION and values.dtype == pl.String:
        raise BadTarget(
            f"The target {values.name!r} holds words such as {values[0]!r}: no numbers to predict.",
            "Choose classification, or a column of numbers.",
        )
    if asked is Task.BINARY and distinct != 2:
        raise BadTarget(
            f"The target {values.name!r} has {distinct} different values, a binary task needs exactly 2.",
            "Choose multiclass or regression, or leave the task on auto.",
        )
    if asked is Task.MULTICLASS and distinct == 2:
        return Task.BINARY, "Asked for as multiclass; with two values this is a binary task."
    return asked, "Asked for."


def _whole(values: pl.Series) -> bool:
    return values.dtype.is_integer() or bool((values == values.round()).all())


# --- values -----------------------------------------------------------------------------------------------


def _numbers(values: pl.Series, reason: str, findings: list[Finding]) -> Target:
    keep = values.is_not_null().to_numpy()
    y = values.drop_nulls().cast(pl.Float64).to_numpy()
    return Target(Task.REGRESSION, reason, (), "", y, keep, tuple(findings))


def _labels(values: pl.Series, task: Task, reason: str, findings: list[Finding]) -> Target:
    text, label_type = _as_text(values)
    counts = text.drop_nulls().value_counts()
    single = set(counts.filter(pl.col("count") == 1)[text.name].to_list())
    advice = "Choose regression if they are quantities, group rare values, or choose another column."
    if len(single) > len(counts) / 2:
        raise BadTarget(
            f"The target {values.name!r} has {len(counts):,} different values, {len(single):,} of them once:"
            " these are no classes.",
            advice,
        )
    _check_size(values.name, len(counts) - len(single), len(text) - text.null_count(), advice)
    if single:
        findings.append(_too_rare(values.name, single))
    kept = text.to_frame("t").select(pl.when(~pl.col("t").is_in(list(single))).then("t"))["t"]
    classes = sorted(set(kept.drop_nulls().to_list()), key=_label_order(label_type))
    if len(classes) < 2:
        raise BadTarget(
            f"The target {values.name!r} has only one value, {classes[0]!r}, that occurs more than once.",
            "Each class needs two rows at least, one to learn from and one to check with.",
        )
    codes = kept.drop_nulls().replace_strict({c: i for i, c in enumerate(classes)}, return_dtype=pl.Int64)
    task = Task.BINARY if len(classes) == 2 else task
    keep = kept.is_not_null().to_numpy()
    return Target(task, reason, tuple(classes), label_type, codes.to_numpy(), keep, tuple(findings))


def _check_size(name: str, classes: int, rows: int, advice: str) -> None:
    """A model answers each row with a probability for every class."""
    if classes > MAX_CLASSES:
        raise BadTarget(
            f"The target {name!r} has {classes:,} classes; at most {MAX_CLASSES:,} can be learned.", advice
        )
    if classes * rows > MOST_PROBABILITIES:
        raise BadTarget(
            f"The target {name!r} has {classes:,} classes over {rows:,} rows; at most"
            f" {MOST_PROBABILITIES // classes:,} rows of so many classes can be learned from.",
            "Use fewer rows, group rare values, or choose another column.",
        )


def _as_text(values: pl.Series) -> tuple[pl.Series, str]:
    if values.dtype == pl.Boolean:
        return values.cast(pl.String), "boolean"
    if values.dtype == pl.String:
        return values, "string"
    if _whole(values.drop_nulls()):
        return values.cast(pl.Int64).cast(pl.String), "integer"
    return values.cast(pl.String), "string"


def _label_order(label_type: str) -> Callable[[str], Any]:
    return int if label_type == "integer" else str


def _too_rare(name: str, single: set[str]) -> Finding:
    shown = ", ".join(sorted(single)[:5]) + (", …" if len(single) > 5 else "")
    stands, are = ("value of {} stands", "is") if len(single) == 1 else ("values of {} stand", "are")
    return Finding(
        "rare_class",
        Severity.WARNING,
        f"{len(single)} {stands.format(repr(name))} in a single row and {are} left out: {shown}.",
        column=name,
        advice="A class needs two rows at least, one to learn from and one to check with.",
        evidence={"values": sorted(single)[:20], "rows": len(single)},
    )
