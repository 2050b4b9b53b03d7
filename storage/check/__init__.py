"""Looks at a table before a job learns from it: what would make its score a lie, or its model useless.

`check` gives findings, each with its evidence and, where one click can mend it, the change that would.

To add a check: one row in CHECKS and one function that yields findings of its kind.
"""

from __future__ import annotations

from pathlib import Path

from flowml.storage.check import columns, leakage, rows, target, values
from flowml.storage.check.table import Check, Table
from flowml.storage.records import DatasetSchema, Finding, JobSpec, Json, Severity

__all__ = ["CHECKS", "Check", "check", "work"]

CHECKS: tuple[Check, ...] = (
    Check(
        "target_copy",
        "Computed from the target",
        "a linear or monotone function of the target, a range it lies in, or another name of its classes",
        leakage.find_copies,
    ),
    Check(
        "leakage",
        "Knows the target",
        "alone predicts 97 % of what there is to know (an AUC of 0.985), or 85 % and twice any other column",
        leakage.find_leaks,
    ),
    Check(
        "repeated_entities",
        "Rows of one entity",
        "an id that recurs, whose rows agree in the target or in many columns",
        rows.find_groups,
    ),
    Check(
        "time_order",
        "Rows in the order of time",
        "the target's level differs between periods of a date, or rows that follow one another are alike",
        rows.find_time_order,
    ),
    Check(
        "duplicate_rows",
        "Repeated rows",
        "rows alike in all columns learned from, where chance would not make them so",
        rows.find_repeated,
    ),
    Check(
        "tiny_class",
        "Tiny class",
        "a class of fewer than ten rows, two for each fold",
        target.find_tiny_classes,
    ),
    Check(
        "imbalance",
        "Imbalance",
        "the smaller of two classes has under 10 % of the rows, or the largest of many over 95 %",
        target.find_imbalance,
    ),
    Check(
        "identifier",
        "Names rows",
        "values that hardly ever recur, in a range where chance would have repeated many",
        columns.find_identifiers,
    ),
    Check("constant", "Constant", "the same value in all rows but one in 1,000", columns.find_constants),
    Check(
        "duplicate_column",
        "Says the same as another",
        "equal values, the same groups of rows under other names, or a rank correlation of 0.99999",
        columns.find_twins,
    ),
    Check("missing", "Mostly missing", "no value in half of the rows", columns.find_gaps),
    Check(
        "disguised_missing",
        "Disguised missing values",
        "words such as ? and unknown, numbers such as -999 and days such as 1900-01-01 apart from all others",
        values.find_disguised,
    ),
    Check(
        "mixed_types",
        "Numbers among words",
        "a text column of mostly numbers, with a few words, a unit behind or a currency before them",
        values.find_mixed,
    ),
    Check(
        "outliers",
        "Outlying magnitudes",
        "at most 1 % of the values, ten times as far out as all others, also in logarithms",
        values.find_outliers,
    ),
    Check(
        "high_cardinality",
        "Many kinds",
        "over 50 kinds with fewer than five rows each, or over 1,000",
        columns.find_many_kinds,
    ),
)

# What says nothing new of a column where one of the others was found.
HIDES: dict[str, tuple[str, ...]] = {
    "leakage": ("target_copy",),
    "high_cardinality": ("mixed_types", "repeated_entities", "identifier"),
    "identifier": ("mixed_types",),
    "outliers": ("disguised_missing",),
    "duplicate_column": ("target_copy",),
    "missing": ("leakage", "target_copy"),
}
ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def check(path: Path, schema: DatasetSchema, spec: JobSpec) -> tuple[Finding, ...]:
    """What was noticed of a stored table and a job on it, the gravest first. An empty target is no target."""
    table = Table(path, schema, spec)
    found = [finding for row in CHECKS for finding in row.find(table)]
    told = {(finding.kind, finding.column) for finding in found}
    kept = [f for f in found if not any((kind, f.column) in told for kind in HIDES.get(f.kind, ()))]
    return tuple(sorted(kept, key=lambda finding: ORDER[finding.severity]))


def work(request: Json) -> Json:
    """{"path", "schema", "spec"} → {"findings"}, for `apart`."""
    schema, spec = DatasetSchema.from_dict(request["schema"]), JobSpec.from_dict(request["spec"])
    return {"findings": [finding.to_dict() for finding in check(Path(request["path"]), schema, spec)]}
