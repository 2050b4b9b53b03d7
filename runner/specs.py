"""Checks what a user asks of a training job against the table and the limits, before anything is queued."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from flowml.runner.settings import Settings
from flowml.runner.tiers import TIERS, lowest
from flowml.storage.errors import BadTarget, SpecError, TooFewRows, UnknownColumn
from flowml.storage.records import Dataset, DatasetSchema, JobSpec, Record, Role, Task

LEAST_ROWS = 10
FOLDS = range(2, 21)
MOST_CORES = 1024
SHORTEST_BUDGET_S = 5.0
SPLITS = ("auto", "random", "holdout")
SPLITS_BY_COLUMN = ("group", "time")
PREDICTABLE = ("integer", "number", "boolean", "string")  # types of a column that may be a target
ONCE = frozenset({Role.GROUP, Role.TIME, Role.WEIGHT})  # roles that one column of a job may have


@dataclass(frozen=True)
class Choice(Record):
    """One algorithm or metric that a user may name."""

    key: str
    label: str
    tasks: tuple[Task, ...]
    group: str = ""  # family of an algorithm, direction of a metric
    text: str = ""


@dataclass(frozen=True)
class Choices:
    """What there is to choose from. Empty: anything goes, the job itself refuses what it does not know."""

    algorithms: tuple[Choice, ...] = ()
    metrics: tuple[Choice, ...] = ()


def check(spec: JobSpec, schema: DatasetSchema, settings: Settings, choices: Choices) -> JobSpec:
    """The spec as it will run. Raises UnknownColumn, BadTarget, TooFewRows or SpecError with what to do."""
    for each in CHECKS:
        each(spec, schema, settings, choices)
    return dataclasses.replace(spec, target=spec.target, budget_s=float(spec.budget_s))


def with_roles_of(dataset: Dataset, spec: JobSpec) -> JobSpec:
    """The spec with the roles that users gave the dataset's columns, where the spec says nothing else.

    A column that is the target has no other role, and a job that names its own group or time, by a role or by
    the split, takes none of the dataset's.
    """
    kind = spec.split.partition(":")[0]
    taken = set(spec.roles.values()) | ({Role(kind)} if kind in SPLITS_BY_COLUMN else set())
    roles = {
        name: role
        for name, role in dataset.roles.items()
        if name != spec.target and role is not Role.TARGET and not (role in ONCE and role in taken)
    }
    return dataclasses.replace(spec, roles={**roles, **spec.roles})


def _target(spec: JobSpec, schema: DatasetSchema, _settings: Settings, _choices: Choices) -> None:
    if not spec.target:
        raise SpecError("No target is named.", "Name the column to predict.")
    _known_column(spec.target, schema, "The target")
    column = schema.column(spec.target)
    if column is not None and column.missing >= schema.rows:
        raise BadTarget(f"The target {spec.target!r} has no values.", "Choose a column that has some.")
    if column is not None and column.unique == 1:
        raise BadTarget(
            f"The target {spec.target!r} has the same value in every row; there is nothing to learn.",
            "Choose a column with at least two different values.",
        )


def _rows(_spec: JobSpec, schema: DatasetSchema, _settings: Settings, _choices: Choices) -> None:
    if schema.rows < LEAST_ROWS:
        raise TooFewRows(
            f"The table has {schema.rows} rows; at least {LEAST_ROWS} are needed.", "Upload a larger table."
        )


def _budget(spec: JobSpec, _schema: DatasetSchema, settings: Settings, _choices: Choices) -> None:
    if not SHORTEST_BUDGET_S <= spec.budget_s <= settings.longest_budget:
        raise SpecError(
            f"The time budget is {spec.budget_s:g} s; expected {SHORTEST_BUDGET_S:g} s to "
            f"{settings.longest_budget:g} s.",
            "Choose another, or raise FLOWML_LONGEST_BUDGET.",
        )


def _task(spec: JobSpec, _schema: DatasetSchema, _settings: Settings, _choices: Choices) -> None:
    _one_of(spec.task, ("auto", *Task), "task")


def _names(spec: JobSpec, schema: DatasetSchema, _settings: Settings, choices: Choices) -> None:
    metrics = [choice.key for choice in choices.metrics]
    if metrics:
        _one_of(spec.metric, ("auto", *metrics), "metric")
    algorithms = [choice.key for choice in choices.algorithms]
    for name in spec.algorithms if algorithms else ():
        _one_of(name, algorithms, "algorithm")
    _fits_task(spec, schema, choices)


def _fits_task(spec: JobSpec, schema: DatasetSchema, choices: Choices) -> None:
    tasks = _possible_tasks(spec, schema)
    for kind, names, known in (
        ("metric", (spec.metric,), choices.metrics),
        ("algorithm", spec.algorithms, choices.algorithms),
    ):
        for choice in known:
            if choice.key in names and not tasks & set(choice.tasks):
                served = ", ".join(choice.tasks)
                raise SpecError(
                    f"The {kind} {choice.key!r} is for {served}; {spec.target!r} is for {_listed(tasks)}.",
                    f"Choose another {kind}, or let us choose.",
                )


def _possible_tasks(spec: JobSpec, schema: DatasetSchema) -> set[Task]:
    """The task that is asked for, or those that the target may turn out to be for."""
    if spec.task != "auto":
        return {Task(spec.task)}
    column = schema.column(spec.target)
    classes = column is not None and column.type in ("string", "boolean")
    return {Task.BINARY, Task.MULTICLASS} if classes else set(Task)


def _values(spec: JobSpec, schema: DatasetSchema, _settings: Settings, _choices: Choices) -> None:
    column = schema.column(spec.target)
    kind = "" if column is None else column.type
    if kind and kind not in PREDICTABLE:
        raise BadTarget(
            f"The target {spec.target!r} is of type {kind}, which cannot be predicted.",
            "Choose a column of numbers, words or yes/no, or turn it into one.",
        )
    if kind == "string" and spec.task == Task.REGRESSION:
        raise BadTarget(
            f"The target {spec.target!r} holds words: there are no numbers to predict.",
            "Choose classification, or a column of numbers.",
        )


def _listed(tasks: Collection[Task]) -> str:
    return " or ".join(sorted(tasks))


def _split(spec: JobSpec, schema: DatasetSchema, _settings: Settings, _choices: Choices) -> None:
    kind, colon, column = spec.split.partition(":")
    if colon and kind in SPLITS_BY_COLUMN:
        _known_column(column, schema, "The column to split by")
        if column == spec.target:
            raise SpecError(f"The split is by the target {column!r}.", "Split by another column.")
        return
    _one_of(spec.split, (*SPLITS, *(f"{name}:COLUMN" for name in SPLITS_BY_COLUMN)), "split")


def _numbers(spec: JobSpec, schema: DatasetSchema, _settings: Settings, _choices: Choices) -> None:
    if spec.folds is not None and (spec.folds not in FOLDS or spec.folds > schema.rows):
        raise SpecError(
            f"folds is {spec.folds}; expected {FOLDS.start} to {FOLDS.stop - 1}, and no more than rows.",
            "Leave it out to let us choose.",
        )
    limits = {
        "max_trials": spec.max_trials,
        "trials_per_algorithm": spec.trials_per_algorithm,
        "max_latency_ms": spec.max_latency_ms,
        "max_size_bytes": spec.max_size_bytes,
        "jobs": spec.jobs,
        "machines": spec.machines,
    }
    for name, number in limits.items():
        if number is not None and number <= 0:
            raise SpecError(f"{name} is {number}; expected more than 0.", "Leave it out for no limit.")
    if spec.jobs is not None and spec.jobs > MOST_CORES:
        raise SpecError(f"jobs is {spec.jobs}; expected at most {MOST_CORES} cores.")
    if not 0 <= spec.seed < 2**32:
        raise SpecError(f"seed is {spec.seed}; expected 0 to {2**32 - 1}.")


def _roles(spec: JobSpec, schema: DatasetSchema, _settings: Settings, _choices: Choices) -> None:
    for column, role in spec.roles.items():
        _known_column(column, schema, f"The column with the role {role}")
        if column == spec.target and role is not Role.TARGET:
            raise SpecError(f"{column!r} is the target and cannot be {role} too.", "Take its role out.")
        if column != spec.target and role is Role.TARGET:
            raise SpecError(f"{column!r} has the role target, but the target is {spec.target!r}.")


def _needs(spec: JobSpec, _schema: DatasetSchema, _settings: Settings, _choices: Choices) -> None:
    if spec.vram is not None and (spec.vram < 0 or not lowest(spec.vram)):
        most = max(tier.vram for tier in TIERS)
        raise SpecError(
            f"vram is {spec.vram} bytes; expected 0 to {most} GiB.",
            "0 asks for any GPU; leave it out for a job that needs none.",
        )


Check = Callable[[JobSpec, DatasetSchema, Settings, Choices], None]
CHECKS: tuple[Check, ...] = (
    _target,
    _rows,
    _budget,
    _task,
    _names,
    _values,
    _split,
    _numbers,
    _roles,
    _needs,
)


def _known_column(name: str, schema: DatasetSchema, what: str) -> None:
    if schema.column(name) is None:
        raise UnknownColumn(
            f"{what} is {name!r}, and the table has no such column.", _near(name, schema.names)
        )


def _one_of(name: str, known: Collection[str], what: str) -> None:
    if name not in known:
        listed = ", ".join(str(each) for each in known)
        raise SpecError(f"There is no {what} {name!r}; expected one of {listed}.", _near(name, known))


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, [str(each) for each in known], n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(list(known)[:20])}."
