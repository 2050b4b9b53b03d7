"""What a budget is likely to buy: folds, seconds of a trial and how many of them, before a job is started.

It goes by the cost models of the algorithms and the cores of the machines, or, where this table was learned
from before, by what that job did. Machines differ and are shared, so it is told as a range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.costs import TRIAL_S
from flowml.automl.metrics import metric_for
from flowml.automl.problem import split_choice
from flowml.automl.shape import Shape
from flowml.automl.splitters import DEFAULT_FOLDS, by_size
from flowml.runner.plan import Plan, divide
from flowml.storage.records import FEATURE_ROLES, Dataset, Job, JobSpec, Role, Task, Worker

START_S = 3.0  # until the first trial: reading the table, starting processes
SEARCH_SHARE = 0.75  # of the budget; the rest is for the ensemble, the export and the explanation
FEWEST, MOST = 0.5, 2.0  # times what is expected
ONEHOT = 30  # categories of a column that get a column of their own
GUESSED_MEMORY = 4 * 2**30


@dataclass(frozen=True)
class Estimate:
    low: int  # trials
    high: int
    trial_s: float  # of one trial, on average
    folds: int
    slots: int  # trials side by side, on all machines together
    cores: int
    core_minutes: float  # that are kept busy at most
    after: str = ""  # id of the job that it goes by, if there is one


def estimate(
    dataset: Dataset, spec: JobSpec, task: Task, workers: Sequence[Worker], before: Job | None = None
) -> Estimate:
    """`workers` are those that may take part, the leading one first; without any, one of two cores."""
    shape = _shape(dataset, spec, task)
    plans = [_plan(worker, dataset) for worker in workers] or [divide(*_size(dataset), 2, GUESSED_MEMORY)]
    slots = sum(plan.slots for plan in plans)
    cores = sum(plan.slots * plan.threads for plan in plans)
    trial_s = _seconds(shape, spec, task)
    found = max(0.0, spec.budget_s - START_S) * SEARCH_SHARE * slots / trial_s
    known = before.receipt if before is not None else None
    if before is not None and known is not None and before.trials > 1 and known.used_s > START_S:
        found = before.trials / known.used_s * spec.budget_s
        trial_s = known.used_s * SEARCH_SHARE * slots / before.trials
    most = spec.max_trials or 10**6
    low, high = (max(1, min(most, round(found * times))) for times in (FEWEST, MOST))
    busy = cores * spec.budget_s / 60
    return Estimate(low, high, trial_s, shape.folds, slots, cores, busy, before.id if before else "")


def _size(dataset: Dataset) -> tuple[int, int]:
    return dataset.rows, len(dataset.schema.columns)


def _plan(worker: Worker, dataset: Dataset) -> Plan:
    able = worker.capabilities
    return divide(*_size(dataset), max(1, able.cpus), able.ram_available or GUESSED_MEMORY)


def _seconds(shape: Shape, spec: JobSpec, task: Task) -> float:
    """Of a trial with usual params, over the algorithms that are tried."""
    tried = spec.algorithms or tuple(key for key, row in ALGORITHMS.items() if task in row.tasks)
    rows = [ALGORITHMS[key] for key in tried if key in ALGORITHMS and key != "dummy"]
    costs = [row.cost(shape, row.defaults(shape)).seconds for row in rows if task in row.tasks]
    return max(1e-3, TRIAL_S + shape.folds * fmean(costs or [TRIAL_S]))


def _shape(dataset: Dataset, spec: JobSpec, task: Task) -> Shape:
    roles = {column.name: spec.roles.get(column.name, column.role) for column in dataset.schema.columns}
    learned = [
        column
        for column in dataset.schema.columns
        if roles[column.name] in FEATURE_ROLES and column.name != spec.target
    ]
    worded = [column for column in learned if roles[column.name] is Role.CATEGORICAL]
    texts = [column for column in learned if roles[column.name] is Role.TEXT]
    target = dataset.schema.column(spec.target)
    classes = 0 if task is Task.REGRESSION else max(2, target.unique if target else 2)
    outputs = classes if task is Task.MULTICLASS else 1
    metric = metric_for(spec.metric, task)
    fits, learned_share = _folds(dataset, spec, len(learned), outputs)
    numeric = len(learned) - len(worded)
    onehot = sum(min(column.unique, ONEHOT) for column in worded)
    return Shape(
        rows=dataset.rows,
        columns=max(1, len(learned)),
        numeric=numeric,
        categorical=len(worded),
        max_cardinality=max((column.unique for column in worded), default=0),
        onehot_columns=max(1, numeric + onehot),
        classes=classes,
        folds=fits,
        train_rows=max(1, round(dataset.rows * learned_share)),
        valid_rows=max(1, round(dataset.rows * (1 - learned_share))),
        task=task,
        metric=metric.key,
        direction=metric.direction,
        texts=len(texts),
    )


def _folds(dataset: Dataset, spec: JobSpec, columns: int, outputs: int) -> tuple[int, float]:
    """How many fits a trial takes, and the share of the rows that one learns from."""
    kind, _ = split_choice(spec)
    if kind == "holdout":
        return 1, 0.8
    if kind in ("group", "time") or spec.folds:
        folds = spec.folds or DEFAULT_FOLDS
        return folds, 1 - 1 / folds
    key, folds, _ = by_size(dataset.rows, columns, spec.budget_s, outputs)
    if key == "holdout":
        return 1, 0.8
    return (2 * folds if key == "repeated" else folds), 1 - 1 / max(2, folds)
