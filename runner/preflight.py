"""The check of a job's table, made beside its search in a process of its own."""

from __future__ import annotations

from pathlib import Path

from flowml.storage.apart import Running
from flowml.storage.errors import FlowMLError
from flowml.storage.records import DatasetSchema, Finding, JobSpec, Severity

MOST_S = 120.0


class Preflight:
    """`known` is what an earlier check of the same table and job has found; then there is nothing to do."""

    def __init__(
        self, table: Path, schema: DatasetSchema, spec: JobSpec, known: tuple[Finding, ...] | None = None
    ) -> None:
        self._request = {"path": str(table.resolve()), "schema": schema.to_dict(), "spec": spec.to_dict()}
        self._running: Running | None = None
        self.findings = known

    def start(self) -> None:
        if self.findings is not None or self._running is not None:
            return
        try:
            self._running = Running("check", self._request, MOST_S)
        except FlowMLError as error:
            self.findings = _not_made(error)

    @property
    def under_way(self) -> bool:
        return self._running is not None

    def news(self) -> tuple[Finding, ...] | None:
        """The findings, in the one call after they came in."""
        if self._running is None or not self._running.over():
            return None
        try:
            found = self._running.result()["findings"]
            self.findings = tuple(Finding.from_dict(each) for each in found)
        except FlowMLError as error:
            self.findings = _not_made(error)
        self.close()
        return self.findings

    def close(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None


def _not_made(error: FlowMLError) -> tuple[Finding, ...]:
    return (Finding("no_check", Severity.NOTE, f"The table was not checked. {error}"),)
