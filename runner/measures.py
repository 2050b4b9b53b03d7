"""What is found out about stored tables: in a child process, once, and then looked up.

A measurement is kept by the hash of the table's content: datasets of the same content share it.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

from flowml.storage import apart, exports, measurements
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.difference import difference
from flowml.storage.records import (
    Dataset,
    DriftSummary,
    Finding,
    JobSpec,
    Json,
    Profile,
    TargetAssociation,
    VersionDifference,
)

# The version is part of the name: a program that measures otherwise measures anew.
PROFILE, ASSOCIATIONS, DIFFERENCE, CHECK = "profile/2", "associations/1", "difference/1", "check/1"
ASKED = ("target", "task", "metric", "split", "roles")  # of a job, on which its check depends
LEAST_S, BYTES_PER_S = 60.0, 5e6  # for a work on a table, and on a slow machine for its bytes
COLUMN_S = 0.05  # and for each of its columns
EXPORT_BYTES_PER_S = 5e5  # cell by cell


class Measures:
    """May be asked from any thread. Two who ask for the same wait for one child."""

    def __init__(self, db: Database, datasets: Datasets) -> None:
        self._db = db
        self._datasets = datasets
        self._turn = threading.Lock()  # one child at a time: each takes all cores

    def profile(self, dataset: Dataset) -> Profile:
        return Profile.from_dict(self._found(dataset, PROFILE, "", "profile", {}))

    def associations(self, dataset: Dataset, target: str, task: str) -> tuple[TargetAssociation, ...]:
        about = json.dumps([target, task])
        found = self._found(dataset, ASSOCIATIONS, about, "associations", {"target": target, "task": task})
        return tuple(TargetAssociation.from_dict(each) for each in found["columns"])

    def difference(self, old: Dataset, new: Dataset) -> VersionDifference:
        roles = {column.name: column.role.value for column in old.schema.columns}
        request = {"old": self._path(old), "new": self._path(new), "roles": roles}
        found = self._found(new, DIFFERENCE, old.sha256, "difference", request)
        return difference(old, new, DriftSummary.from_dict(found))

    def check(self, dataset: Dataset, spec: JobSpec) -> tuple[Finding, ...]:
        """What the check of a job finds. The spec is to have the roles of the dataset."""
        request = {"schema": dataset.schema.to_dict(), "spec": spec.to_dict()}
        found = self._found(dataset, CHECK, _asked(spec), "check", request)
        return tuple(Finding.from_dict(each) for each in found["findings"])

    def known_check(self, dataset: Dataset, spec: JobSpec) -> tuple[Finding, ...]:
        """What an earlier check of the same job has found; nothing if there was none."""
        found = self._known(dataset, CHECK, _asked(spec)) or {"findings": ()}
        return tuple(Finding.from_dict(each) for each in found["findings"])

    def query(self, dataset: Dataset, sql: str, rows: int) -> Json:
        request = {"path": self._path(dataset), "sql": sql, "rows": rows}
        return apart.run("preview", request, self._seconds(dataset))

    def export(self, dataset: Dataset, format: str, target: Path) -> None:
        exports.export(format)
        request = {"path": self._path(dataset), "target": str(target.resolve()), "format": format}
        apart.run("export", request, self._seconds(dataset, EXPORT_BYTES_PER_S))

    def _found(self, dataset: Dataset, kind: str, about: str, work: str, request: Json) -> Json:
        known = self._known(dataset, kind, about)
        if known is not None:
            return known
        with self._turn:
            known = self._known(dataset, kind, about)  # by the one before us
            if known is None:
                path = {"path": self._path(dataset)}
                known = apart.run(work, {**path, **request}, self._seconds(dataset))
                with self._db.write() as cursor:
                    measurements.put(cursor, dataset.sha256, kind, about, known)
        return known

    def _known(self, dataset: Dataset, kind: str, about: str) -> Json | None:
        with self._db.read() as cursor:
            return measurements.get(cursor, dataset.sha256, kind, about)

    def _path(self, dataset: Dataset) -> str:
        return str(self._datasets.path(dataset.id).resolve())

    def _seconds(self, dataset: Dataset, bytes_per_s: float = BYTES_PER_S) -> float:
        return LEAST_S + COLUMN_S * len(dataset.schema.columns) + dataset.size / bytes_per_s


def _asked(spec: JobSpec) -> str:
    told = spec.to_dict()
    return json.dumps({name: told[name] for name in ASKED}, sort_keys=True)
