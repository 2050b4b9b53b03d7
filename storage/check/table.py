"""The table and the job that a check looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl
import polars.selectors as cs

from flowml.storage import sample
from flowml.storage.coded import Coded, encode
from flowml.storage.goal import Goal, goal_of
from flowml.storage.records import FEATURE_ROLES, Column, DatasetSchema, Finding, JobSpec, Role

ROWS = 20_000  # that are looked at closely
MOST_COLUMNS = 1_000


@dataclass(frozen=True)
class Check:
    """One row of CHECKS. `label` is what the defect is called, `decides` how it is told."""

    kind: str
    label: str
    decides: str
    find: Callable[[Table], Iterator[Finding]]


class Table:
    """`frame` is an even sample of the rows in their order; what `schema` says is of all rows."""

    def __init__(self, path: Path, schema: DatasetSchema, spec: JobSpec) -> None:
        self.path, self.schema, self.spec = path, schema, spec
        self.roles = _roles(schema, spec)
        names = [name for name in schema.names if name in self.roles]
        self.frame = sample.sample(path, names, ROWS)
        self._coded: dict[str, Coded | None] = {}

    @property
    def rows(self) -> int:
        return self.schema.rows

    @property
    def sampled(self) -> bool:
        return self.frame.height < self.rows

    @cached_property
    def features(self) -> tuple[Column, ...]:
        """The columns that would be learned from."""
        return tuple(c for c in self.schema.columns if self.roles.get(c.name) in FEATURE_ROLES)

    @cached_property
    def goal(self) -> Goal | None:
        """The target of the rows of `known`."""
        return self._goal_and_rows[0] if self._goal_and_rows else None

    @cached_property
    def known(self) -> pl.DataFrame:
        """The rows whose target is known."""
        return self._goal_and_rows[1] if self._goal_and_rows else self.frame

    @cached_property
    def _goal_and_rows(self) -> tuple[Goal, pl.DataFrame] | None:
        if self.spec.target not in self.frame.columns:
            return None
        return goal_of(self.frame, self.spec.target, self.spec.task)

    def coded(self, name: str) -> Coded | None:
        """A column in the rows of `known`."""
        if name not in self._coded:
            as_words = self.roles.get(name) is Role.CATEGORICAL
            self._coded[name] = encode(self.known[name], as_words=as_words)
        return self._coded[name]

    def whole(self, *names: str) -> pl.LazyFrame:
        """Columns of all rows."""
        return pl.scan_parquet(self.path, glob=False).select(cs.by_name(*names))


def _roles(schema: DatasetSchema, spec: JobSpec) -> dict[str, Role]:
    """Of the target, the column to split by, and as many of the others as are looked at."""
    kind, _, by = spec.split.partition(":")
    first = [name for name in (spec.target, by) if schema.column(name)]
    names = [*first, *(name for name in schema.names if name not in first)][:MOST_COLUMNS]
    guessed = {column.name: column.role for column in schema.columns}
    roles = {name: spec.roles.get(name, guessed[name]) for name in names}
    if by in roles and kind in ("group", "time"):
        roles[by] = Role(kind)
    if spec.target in roles:
        roles[spec.target] = Role.TARGET
    return roles
