"""Datasets, as the client adds, shows, measures, shares and deletes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flowml.runner import specs
from flowml.runner.desk import Desk
from flowml.runner.fixes import roles_after
from flowml.runner.rights import right
from flowml.storage import jobs
from flowml.storage.cells import plain
from flowml.storage.errors import Conflict
from flowml.storage.records import (
    ACTIVE,
    Dataset,
    DatasetEntry,
    DatasetTotals,
    Finding,
    JobSpec,
    Json,
    Profile,
    Role,
    Scope,
    TargetAssociation,
    VersionDifference,
)


class Tables(Desk):
    """A dataset is named by its id, by its name (then it is the newest version), or as `name:version`."""

    @right(Scope.WRITE, "dataset.add")
    def add_dataset(
        self,
        path: Path,
        name: str,
        source: str | None = None,
        project: str | None = None,
        table: str = "",
    ) -> Dataset:
        """Reads a file as a table and keeps it. A name that is taken gets its next version.

        `source` is the file name it came with; `project` where it shall lie, by default where only who asks
        sees it; `table` one of several that the file holds. Raises EmptyFile, UnknownFormat, BrokenFile,
        UnknownTable or FileTooLarge.
        """
        place = self._place(project)
        return self._datasets.add(path, name, source, place, self._owner, table)

    @right(Scope.WRITE)
    def tables(self, path: Path, source: str) -> tuple[str, ...]:
        """The sheets, tables or members that a file lets choose from; empty where it holds one table."""
        return self._datasets.tables(path, source)

    @right(Scope.READ)
    def datasets(self) -> tuple[Dataset, ...]:
        """Those not deleted, newest first."""
        return self._datasets.list_(self._projects)

    @right(Scope.READ)
    def dataset_entries(
        self, text: str = "", limit: int = 100, offset: int = 0, every_version: bool = False
    ) -> tuple[DatasetEntry, ...]:
        """The same for lists: of each name its newest version, or all of them; the latest upload leads."""
        return self._datasets.entries(self._projects, text, limit, offset, every_version)

    @right(Scope.READ)
    def dataset_page(
        self, text: str = "", project: str | None = None, limit: int = 100, offset: int = 0
    ) -> tuple[tuple[DatasetEntry, ...], int]:
        """Every version, newest first, of all projects or of one; and how many there are in all."""
        seen = self._projects
        if project is not None:
            seen = [project] if seen is None or project in seen else []
        return self._datasets.page(seen, text, limit, offset)

    @right(Scope.READ)
    def dataset_totals(self, text: str = "") -> DatasetTotals:
        """How many there are, with `text` in their name."""
        return self._datasets.totals(self._projects, text)

    @right(Scope.READ)
    def family(self, id: str) -> tuple[Dataset, ...]:
        """Versions of the same name in all projects that one sees, the highest version first."""
        return self._datasets.versions(self._seen(id).name, self._projects)

    @right(Scope.READ)
    def dataset(self, id: str) -> Dataset:
        """Raises NotFound; a deleted one is found, so that its jobs can still show it."""
        return self._seen(id)

    @right(Scope.WRITE, "dataset.move")
    def move_dataset(self, id: str, project: str) -> Dataset:
        """Puts it into another project, for others to see or to see no more. Jobs stay where they are."""
        dataset = self._present_to_change(id)
        place = self._place(project)
        return dataset if place == dataset.project else self._datasets.move(dataset.id, place)

    @right(Scope.READ)
    def versions(self, id: str) -> tuple[Dataset, ...]:
        """Those of the same name in the same project that are not deleted, newest first."""
        one = self._seen(id)
        return self._datasets.versions(one.name, [one.project])

    @right(Scope.READ)
    def dataset_file(self, id: str) -> Path:
        """Its Parquet file, to read from."""
        return self._datasets.path(self._present(id).id)

    @right(Scope.READ)
    def export_dataset(self, id: str, format: str, target: Path) -> None:
        """Writes the whole table as CSV, Excel or Parquet, with no text that a spreadsheet would run.

        Raises InputError for another format, DataError where it does not fit into one.
        """
        self._measures.export(self._present(id), format, target)

    @right(Scope.READ)
    def preview(self, id: str, rows: int = 50) -> Json:
        """The first rows: {"columns": [names], "rows": [[values]]}, values as plain JSON."""
        frame = self._datasets.preview(self._present(id).id, rows)
        return {"columns": frame.columns, "rows": [[plain(value) for value in row] for row in frame.rows()]}

    @right(Scope.READ)
    def dataset_stats(self, id: str) -> tuple[Json, ...]:
        """Per column its name, type, role, missing, unique and, where it has them, its figures."""
        return self._datasets.stats(self._present(id).id)

    @right(Scope.WRITE, "dataset.roles")
    def set_roles(self, id: str, roles: Mapping[str, Role]) -> Dataset:
        """Says what columns are for where the guess was wrong; jobs begin with it. Raises UnknownColumn."""
        return self._datasets.set_roles(self._present_to_change(id).id, roles)

    @right(Scope.READ)
    def profile(self, id: str) -> Profile:
        """What its columns hold, measured once for each content; takes seconds for a large table."""
        return self._measures.profile(self._present(id))

    @right(Scope.READ)
    def target_associations(self, id: str, target: str, task: str = "auto") -> tuple[TargetAssociation, ...]:
        """What each column alone tells of a target. Raises UnknownColumn, BadTarget."""
        return self._measures.associations(self._present(id), target, task)

    @right(Scope.READ)
    def check(self, spec: JobSpec) -> tuple[Finding, ...]:
        """What would make the score of a job a lie or its model useless, the gravest first; made once.

        An empty target looks at the columns alone. Raises NotFound, DataError where it takes too much.
        """
        dataset = self._present(spec.dataset_id)
        return self._measures.check(dataset, specs.with_roles_of(dataset, spec))

    @right(Scope.READ)
    def difference(self, old: str, new: str) -> VersionDifference:
        """What changed from one dataset to another, of columns, types and values."""
        return self._measures.difference(self._seen(old), self._present(new))

    @right(Scope.READ)
    def query(self, id: str, sql: str, rows: int = 50) -> Json:
        """What a SELECT FROM dataset gives: {"columns", "rows", "total"}. Raises QueryError, DataError."""
        return self._measures.query(self._present(id), sql, rows)

    @right(Scope.WRITE, "dataset.derive")
    def derive(self, id: str, sql: str, name: str | None = None) -> Dataset:
        """Keeps what a query gives as the next version, or as a dataset of another name.

        It lies where the dataset lies, or where only who asks sees it if that may not be changed.
        """
        parent = self._present(id)
        return self._datasets.derive(parent.id, sql, name, self._beside(parent), self._owner)

    @right(Scope.WRITE, "dataset.mend")
    def apply(self, id: str, finding: Finding) -> Dataset:
        """Does what the fix of a finding says: other roles, or a mended version, which is another dataset.

        A metric is a choice of the job and changes nothing here.
        """
        if "query" in finding.fix:
            return self.derive(id, str(finding.fix["query"]))
        return self.set_roles(id, roles_after(self._present(id), finding))

    @right(Scope.WRITE, "dataset.delete")
    def delete_dataset(self, id: str) -> None:
        """Its jobs and models stay. Raises Conflict while a job on it is under way."""
        dataset = self._present_to_change(id)
        with self._db.read() as cursor:
            busy = jobs.list_(cursor, states=ACTIVE, dataset_id=dataset.id, limit=1)
        if busy:
            raise Conflict(
                f"The dataset {dataset.name!r} is in use by job {busy[0].id}, which is {busy[0].state}.",
                "Wait for it, or cancel it; then delete the dataset.",
            )
        self._datasets.delete(dataset.id)
