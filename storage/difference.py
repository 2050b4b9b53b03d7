"""What changed from one version of a dataset to another."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from flowml.storage import drift, sample
from flowml.storage.records import Dataset, DatasetSchema, DriftSummary, Json, Role, VersionDifference

ROWS = 200_000  # of the older version, that stand for it


def difference(old: Dataset, new: Dataset, values: DriftSummary) -> VersionDifference:
    before, after = old.schema, new.schema
    both = [name for name in before.names if name in after.names]
    return VersionDifference(
        old=old.id,
        new=new.id,
        rows_before=old.rows,
        rows_now=new.rows,
        added=tuple(name for name in after.names if name not in before.names),
        removed=tuple(name for name in before.names if name not in after.names),
        retyped={name: pair for name in both if (pair := _types(name, before, after))},
        values=values,
    )


def _types(name: str, before: DatasetSchema, after: DatasetSchema) -> tuple[str, ...]:
    """The types before and now, if they differ."""
    first, second = before.column(name), after.column(name)
    assert first is not None
    assert second is not None
    return (first.type, second.type) if first.type != second.type else ()


def work(request: Json) -> Json:
    """{"old", "new": paths, "roles"} → how the values of the new differ, for `apart`."""
    roles = {name: Role(role) for name, role in request["roles"].items()}
    old = sample.sample(Path(request["old"]), most=ROWS)
    comparison = drift.Comparison(drift.reference(old, roles))
    for batch in pl.scan_parquet(Path(request["new"]), glob=False).collect_batches(chunk_size=100_000):
        comparison.add(batch)
    return comparison.summary().to_dict()
