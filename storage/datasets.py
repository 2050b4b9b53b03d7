"""The table of datasets: each version of each, its canonical Parquet kept as an artifact."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

import polars as pl

from flowml.storage import ahead as ahead_of
from flowml.storage import apart, intake, rows
from flowml.storage.ahead import Ahead
from flowml.storage.artifacts import Artifacts
from flowml.storage.db import MEMORY, Cursor, Database
from flowml.storage.errors import NotFound, UnknownColumn
from flowml.storage.formats import SUFFIXES, wrapped
from flowml.storage.ids import new_id
from flowml.storage.records import (
    SHARED,
    Artifact,
    Dataset,
    DatasetEntry,
    DatasetSchema,
    DatasetTotals,
    Json,
    Role,
)

LONGEST_NAME = 120
DERIVE_S, DERIVE_BYTES_PER_S = 60.0, 2e6  # for a query, and for the bytes it reads on a slow machine
WORK = "intake-"  # begins the names of folders for what is being made


class Datasets:
    def __init__(
        self, db: Database, artifacts: Artifacts, limit_bytes: int, read_memory: int = intake.MEMORY
    ) -> None:
        self._db = db
        self._artifacts = artifacts
        self._limit_bytes = limit_bytes
        self._read_memory = read_memory
        self._folder = None if db.path == MEMORY else db.path.parent  # the system's own may be small
        self._ahead: dict[Path, Ahead] = {}  # what is read while it comes, by its file
        self._lock = threading.Lock()
        self._sweep()

    def add(
        self,
        path: Path,
        name: str | None = None,
        source: str | None = None,
        project: str = SHARED,
        owner: str = "",
        table: str = "",
    ) -> Dataset:
        """Reads the file and keeps it as the next version of `name`, by default what the file is called.

        `source` is the file name it came with; `table` one of several that it holds, else the first. Raises
        what `intake.convert` raises; then nothing is kept.
        """
        source = file_name(source or path.name)
        made, kept = self._read_ahead(path, source, table) or self._read(path, source, table)
        dataset = _dataset(dataset_name(name or source), source, made, kept)
        dataset = dataclasses.replace(dataset, project=project, owner=owner)
        with self._db.write() as cursor:
            return insert(cursor, dataset)

    def arrive(self, path: Path, source: str, size: int, first: int, received: int) -> None:
        """Of a file that is received its bytes from `first` on have come, so far `received` of `size`.

        Large text is read meanwhile, one file at a time.
        """
        source = file_name(source)
        with self._lock:
            ahead = self._ahead.get(path)
            if ahead is None and not self._ahead and ahead_of.fits(source, size):
                ahead = Ahead(path, source, size, self._folder, WORK, self._limit_bytes, self._read_memory)
                self._ahead[path] = ahead
        if ahead is not None and first < ahead.received:  # what was read may be written anew
            self.forget(path)
        elif ahead is not None:
            ahead.tell(received)

    def forget(self, path: Path) -> None:
        """Ends the reading of a file that is received."""
        with self._lock:
            ahead = self._ahead.pop(path, None)
        if ahead is not None:
            ahead.end()

    def close(self) -> None:
        for path in tuple(self._ahead):
            self.forget(path)

    def _read(self, path: Path, source: str, table: str) -> tuple[intake.Intake, Artifact]:
        with tempfile.TemporaryDirectory(prefix=WORK, dir=self._folder) as folder:
            target = Path(folder) / "table.parquet"
            made = intake.convert(
                path, source, target, self._limit_bytes, table=table, memory=self._read_memory
            )
            return made, self._artifacts.take_file(target)

    def _read_ahead(self, path: Path, source: str, table: str) -> tuple[intake.Intake, Artifact] | None:
        """What came of a file that was read while it was received."""
        with self._lock:
            ahead = self._ahead.pop(path, None)
        if ahead is None:
            return None
        try:
            made = ahead.finish() if ahead.name == source and not table else None
            return None if made is None else (made, self._artifacts.take_file(ahead.target))
        finally:
            ahead.end()

    def tables(self, path: Path, source: str) -> tuple[str, ...]:
        """The sheets, tables or members to choose from; empty where the file holds one table."""
        with tempfile.TemporaryDirectory(prefix=WORK, dir=self._folder) as folder:
            return intake.tables(path, file_name(source), Path(folder), self._limit_bytes, self._read_memory)

    def derive(
        self, id: str, sql: str, name: str | None = None, project: str = SHARED, owner: str = ""
    ) -> Dataset:
        """What a query gives of a dataset, kept as its next version, or as a dataset of another name.

        Raises QueryError, and DataError where the query takes too much; then nothing is kept.
        """
        parent = self.get(id)
        with tempfile.TemporaryDirectory(prefix=WORK, dir=self._folder) as folder:
            target = Path(folder) / "table.parquet"
            request = {"path": str(self.path(id).resolve()), "sql": sql, "target": str(target)}
            made = apart.run("derive", request, DERIVE_S + parent.size / DERIVE_BYTES_PER_S, Path(folder))
            kept = self._artifacts.take_file(target)
        derived = Dataset(
            id=new_id("dataset"),
            name=dataset_name(name) if name else parent.name,
            version=0,
            sha256=kept.sha256,
            rows=made["rows"],
            size=kept.size,
            source=parent.source,
            format="sql",
            created_at=time.time(),
            schema=DatasetSchema.from_dict(made["schema"]),
            roles=parent.roles,
            parent=parent.id,
            query=sql.strip(),
            project=project,
            owner=owner,
        )
        with self._db.write() as cursor:
            return insert(cursor, derived)

    def set_roles(self, id: str, roles: Mapping[str, Role]) -> Dataset:
        """Keeps what columns are for where that differs from the guess. Raises UnknownColumn."""
        dataset = self.get(id)
        for name in roles:
            if dataset.schema.column(name) is None:
                raise UnknownColumn(f"The dataset has no column {name!r}.", "Check the name.")
        told = {column.name: column.role for column in dataset.schema.columns}
        changed = dataclasses.replace(
            dataset, roles={name: role for name, role in roles.items() if told[name] is not role}
        )
        with self._db.write() as cursor:
            cursor.execute("UPDATE dataset SET record = ? WHERE id = ?", [rows.encode(changed), id])
        return changed

    def get(self, id: str) -> Dataset:
        """A deleted one is found as well: jobs that used it still show it. Raises NotFound."""
        with self._db.read() as cursor:
            return self._get(cursor, id)

    def _get(self, cursor: Cursor, id: str) -> Dataset:
        found = rows.select(cursor, Dataset, "SELECT record FROM dataset WHERE id = ?", [id])
        if not found:
            raise unknown(id)
        return found[0]

    def list_(self, projects: Collection[str] | None = None) -> tuple[Dataset, ...]:
        """All versions that are not deleted, of all projects or of these, newest first."""
        condition, values = rows.where(deleted=False, project=None if projects is None else tuple(projects))
        sql = f"SELECT record FROM dataset{condition} ORDER BY created_at DESC, id DESC"
        with self._db.read() as cursor:
            return rows.select(cursor, Dataset, sql, values)

    def versions(self, name: str, projects: Collection[str] | None = None) -> tuple[Dataset, ...]:
        """Those of one name that are not deleted, the highest version first."""
        condition, values = _present(projects)
        sql = f"SELECT record FROM dataset{condition} AND name = ? ORDER BY version DESC, created_at DESC"
        with self._db.read() as cursor:
            return rows.select(cursor, Dataset, sql, [*values, name])

    def entries(
        self,
        projects: Collection[str] | None = None,
        text: str = "",
        limit: int = 100,
        offset: int = 0,
        every_version: bool = False,
    ) -> tuple[DatasetEntry, ...]:
        """For lists: of each name its newest version, or all of them; the latest upload leads.

        `text` stands somewhere in the name. Reads no more than the lines it gives.
        """
        condition, values = _present(projects)
        newest = "" if every_version else "WHERE place = 1"
        sql = _ENTRIES.format(condition=condition, newest=newest, line=_LINE, told=_TOLD)
        with self._db.read() as cursor:
            found = cursor.execute(sql, [*values, text, limit, offset]).fetchall()
        return tuple(DatasetEntry(*line) for line in found)

    def page(
        self, projects: Collection[str] | None = None, text: str = "", limit: int = 100, offset: int = 0
    ) -> tuple[tuple[DatasetEntry, ...], int]:
        """The lines of a list of all versions, newest first, and how many there are in all."""
        condition, values = _present(projects)
        with self._db.read() as cursor:
            sql = _PAGE.format(condition=condition, line=_LINE, told=_TOLD)
            found = cursor.execute(sql, [*values, text, limit, offset]).fetchall()
            total = found[0][-1] if found else self.totals(projects, text).datasets
        return tuple(DatasetEntry(*line[:-1]) for line in found), int(total)

    def totals(self, projects: Collection[str] | None = None, text: str = "") -> DatasetTotals:
        """How many there are with `text` in their name."""
        condition, values = _present(projects)
        with self._db.read() as cursor:
            (line,) = cursor.execute(_TOTALS.format(condition=condition), [*values, text]).fetchall()
        return DatasetTotals(*map(int, line))

    def move(self, id: str, project: str) -> Dataset:
        """Puts it into another project, where it is the next version of its name."""
        with self._db.write() as cursor:
            moved = _numbered(cursor, dataclasses.replace(self._get(cursor, id), project=project))
            cursor.execute(
                "UPDATE dataset SET project = ?, version = ?, record = ? WHERE id = ?",
                [moved.project, moved.version, rows.encode(moved), id],
            )
        return moved

    def delete(self, id: str) -> None:
        """Hides it. Its file stays, for jobs that used it."""
        deleted = dataclasses.replace(self.get(id), deleted=True)
        with self._db.write() as cursor:
            cursor.execute(
                "UPDATE dataset SET deleted = true, record = ? WHERE id = ?", [rows.encode(deleted), id]
            )

    def path(self, id: str) -> Path:
        return self._artifacts.path(self.get(id).sha256)

    def frame(self, id: str) -> pl.DataFrame:
        return pl.read_parquet(self.path(id), glob=False)

    def preview(self, id: str, rows: int = 50) -> pl.DataFrame:
        """The first rows, without reading the others; of raw bytes only how many they are."""
        first = pl.scan_parquet(self.path(id), glob=False).head(rows).collect()
        return first.with_columns(pl.format("{} bytes", pl.col(pl.Binary).bin.size()).name.keep())

    def stats(self, id: str) -> tuple[Json, ...]:
        """What is known of each column, by the key `column` for its name."""
        return tuple({"column": column.name, **column.to_dict()} for column in self.get(id).schema.columns)

    def _sweep(self) -> None:
        """Removes what a killed studio left. The database is open, so no other one is at work here."""
        for left in self._folder.glob(f"{WORK}*") if self._folder else ():
            shutil.rmtree(left, ignore_errors=True)


def _present(projects: Collection[str] | None) -> tuple[str, list[object]]:
    return rows.where(deleted=False, project=None if projects is None else tuple(projects))


# What lists show, for which each record is looked into once.
_LINE = """
    dataset.id,
    name,
    version,
    CAST(told[1] AS BIGINT),
    json_array_length(record, '$.schema.columns'),
    CAST(told[2] AS BIGINT),
    created_at,
    told[3],
    told[4],
    project,
    coalesce(told[5], '')
"""
_TOLD = "json_extract_string(record, ['$.rows', '$.size', '$.source', '$.format', '$.owner']) AS told"
_ENTRIES = """
WITH named AS (
    SELECT
        id,
        version,
        max(created_at) OVER (PARTITION BY name) AS latest,
        row_number() OVER (PARTITION BY name ORDER BY version DESC, created_at DESC) AS place
    FROM dataset{condition} AND contains(lower(name), lower(?))
),
page AS (
    SELECT id, latest, place FROM named {newest} ORDER BY latest DESC, place, id DESC LIMIT ? OFFSET ?
)
SELECT {line}
FROM (SELECT latest, place, dataset.*, {told} FROM page JOIN dataset ON dataset.id = page.id) AS dataset
ORDER BY latest DESC, place, id DESC
"""
_PAGE = """
WITH fitting AS (
    SELECT id, created_at FROM dataset{condition} AND contains(lower(name), lower(?))
),
page AS (
    SELECT id FROM fitting ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
)
SELECT {line}, (SELECT count(*) FROM fitting)
FROM (SELECT dataset.*, {told} FROM page JOIN dataset ON dataset.id = page.id) AS dataset
ORDER BY created_at DESC, id DESC
"""
_TOTALS = """
SELECT count(*), count(DISTINCT name), coalesce(sum(CAST(json_extract(record, '$.rows') AS BIGINT)), 0)
FROM dataset{condition} AND contains(lower(name), lower(?))
"""


def unknown(id: str) -> NotFound:
    return NotFound(f"There is no dataset {id}.", "The list of datasets shows their ids and names.")


def file_name(source: str) -> str:
    """The last part of what a browser or script calls the file: no folders, nothing that cannot be shown."""
    last = PurePosixPath(source.replace("\\", "/")).name
    return "".join(letter for letter in last if letter.isprintable())[-LONGEST_NAME:] or "table"


def dataset_name(name: str) -> str:
    """A name to show: without folders and the suffix of a format."""
    last = wrapped.bare_name(file_name(name))
    suffix = "." + last.rpartition(".")[2].lower()
    bare = last[: -len(suffix)] if suffix in SUFFIXES else last
    return bare.strip(" .") or "table"


def _dataset(name: str, source: str, made: intake.Intake, kept: Artifact) -> Dataset:
    return Dataset(
        id=new_id("dataset"),
        name=name,
        version=0,
        sha256=kept.sha256,
        rows=made.rows,
        size=kept.size,
        source=source,
        format=made.format,
        created_at=time.time(),
        schema=made.schema,
        findings=made.findings,
        source_table=made.table,
    )


def _roles_after(dataset: Dataset, last: Dataset | None) -> dict[str, Role]:
    """A new version begins with what users said of the columns of the last one."""
    roles = dataset.roles or (last.roles if last else {})
    return {name: role for name, role in roles.items() if dataset.schema.column(name)}


def insert(cursor: Cursor, dataset: Dataset) -> Dataset:
    """Writes it as the next version of its name in its project, and gives it so."""
    numbered = _numbered(cursor, dataset)
    cursor.execute(
        "INSERT INTO dataset VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            numbered.id,
            numbered.name,
            numbered.version,
            numbered.sha256,
            numbered.created_at,
            numbered.deleted,
            rows.encode(numbered),
            numbered.project,
        ],
    )
    return numbered


def _numbered(cursor: Cursor, dataset: Dataset) -> Dataset:
    """As the next version of its name in its project."""
    sql = "SELECT record FROM dataset WHERE name = ? AND project = ? ORDER BY version DESC LIMIT 1"
    last = next(iter(rows.select(cursor, Dataset, sql, [dataset.name, dataset.project])), None)
    return dataclasses.replace(
        dataset, version=last.version + 1 if last else 1, roles=_roles_after(dataset, last)
    )
