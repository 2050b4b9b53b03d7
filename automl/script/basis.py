"""What a script must know of a study: its columns, its target, its split. All of it is plain JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from flowml.automl.contract import Contract, Kind
from flowml.automl.problem import split_choice
from flowml.automl.splitters import DEFAULT_FOLDS, by_size
from flowml.storage.errors import SpecError
from flowml.storage.records import DatasetSchema, JobSpec, Json, Record, Role

# Types of columns that a script reads as the studio does; texts that stand for numbers or dates are not.
READABLE = {
    Kind.NUMBER: ("number", "integer", "boolean", "time", "duration"),
    Kind.STRING: ("string", "number", "integer", "boolean", "date", "datetime", "time"),
    Kind.DATETIME: ("date", "datetime"),
    Kind.TEXT: ("string",),
}


@dataclass(frozen=True)
class Basis(Record):
    """`rows` are those with a known target, `contract` is that of the study's champion."""

    job_id: str
    spec: JobSpec
    schema: DatasetSchema
    contract: Json
    rows: int
    sha256: str = ""  # of the table

    @cached_property
    def known(self) -> Contract:
        return Contract.from_dict(self.contract)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.known.classes

    @property
    def outputs(self) -> int:
        return len(self.classes) or 1

    def columns(self, *kinds: Kind) -> tuple[str, ...]:
        """Names of the columns to learn from, in the order in which the encodings take them."""
        return tuple(column.name for column in self.known.columns if column.kind in kinds)

    @cached_property
    def split(self) -> tuple[str, int, str]:
        """The kind of split, its folds, and the column that it follows."""
        kind, column = split_choice(self.spec)
        times, groups = self.with_role(Role.TIME), self.with_role(Role.GROUP)
        if kind == "time" or (kind == "auto" and times):
            return "time", self.spec.folds or DEFAULT_FOLDS, column or times
        if kind == "group" or (kind == "auto" and groups):
            return "group", self.spec.folds or DEFAULT_FOLDS, column or groups
        if kind == "holdout":
            return "holdout", 2, ""
        if self.spec.folds:
            return "kfold", self.spec.folds, ""
        key, folds, _ = by_size(self.rows, len(self.known.columns), self.spec.budget_s, self.outputs)
        return key, folds, ""

    def with_role(self, role: Role) -> str:
        """The column of a role that is for one column, or nothing."""
        guessed = {column.name: column.role for column in self.schema.columns}
        roles = guessed | {name: Role(each) for name, each in self.spec.roles.items()}
        return next((name for name, each in roles.items() if each is role), "")

    def check(self) -> None:
        """Raises SpecError for a table that a script cannot read."""
        odd = [column.name for column in self.known.columns if column.type not in READABLE[column.kind]]
        if odd:
            raise SpecError(
                f"No script can be written: {_listed(odd)} would have to be read from text as FlowML does.",
                "`flowml verify` rebuilds such rows with FlowML itself.",
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, list(names)[:5]))
