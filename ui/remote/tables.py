"""Datasets of a studio: files and frames go in; rows, statistics and findings come out."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from flowml.storage.records import Finding, Profile, Role, TargetAssociation, VersionDifference
from flowml.ui.api.bodies.datasets import ColumnStats, DatasetAnswer, DatasetSummary, PreviewAnswer
from flowml.ui.api.bodies.inspection import QueryAnswer
from flowml.ui.api.bodies.uploads import PART_BYTES, RegisteredAnswer, TablesAnswer
from flowml.ui.remote import frames, progress
from flowml.ui.remote.wire import Wire, keyed, quoted
from flowml.ui.sending import READING, bring, send

CHUNK_BYTES = 2**20


class TablesPart(Wire):
    """A dataset is named by its id, by its name (then it is the newest version), or as `name:version`."""

    def upload(self, source: Any, name: str = "", table: str = "", show: bool | None = None) -> DatasetAnswer:
        """Send a file of any format that the studio reads, or a polars or pandas DataFrame.

        The same name again makes a new version. `table` names a sheet, a table of a database or a member
        of an archive; else the first is read. `show` draws a progress bar, by default where one looks.
        """
        if isinstance(source, str | Path):
            return self._upload_file(Path(source), name, table, show)
        content, file_name = frames.parquet(source), f"{name.replace('/', '_') or 'table'}.parquet"
        return self._put(io.BytesIO(content), len(content), file_name, name, "", show)

    def tables_in(self, file: str | Path) -> list[str]:
        """The sheets, tables or members that a file lets choose from; empty where it holds one table."""
        upload = bring(self._ask, Path(file))
        try:
            return self._one(TablesAnswer, "GET", f"uploads/{upload.id}/tables", timeout=READING).tables
        finally:
            self._ask("DELETE", f"uploads/{upload.id}")

    def add_server_files(self, path: str | Path, name: str = "", table: str = "") -> list[RegisteredAnswer]:
        """Add a file of the studio's machine, or each table in a folder of it, without an upload.

        Only below the folders of its FLOWML_DATA_ROOTS; each answer has a dataset, or why it has none.
        """
        asked = {"path": str(path), "name": name, "table": table}
        return self._one(list[RegisteredAnswer], "POST", "datasets/register", json=asked, timeout=READING)

    def datasets(self, name: str = "", project: str | None = None) -> list[DatasetSummary]:
        """All that may be seen, newest first; with `name` those whose name holds it."""
        return self._many(DatasetSummary, "datasets", {"name": name, "project": project})

    def dataset(self, dataset_id: str) -> DatasetAnswer:
        return self._one(DatasetAnswer, "GET", f"datasets/{quoted(dataset_id)}")

    def versions(self, dataset_id: str) -> list[DatasetSummary]:
        """All versions of a dataset's name, newest first."""
        return self._one(list[DatasetSummary], "GET", f"datasets/{quoted(dataset_id)}/versions")

    def preview(self, dataset_id: str, rows: int = 20) -> PreviewAnswer:
        return self._one(
            PreviewAnswer, "GET", f"datasets/{quoted(dataset_id)}/preview", params={"rows": rows}
        )

    def stats(self, dataset_id: str) -> list[ColumnStats]:
        return self._one(list[ColumnStats], "GET", f"datasets/{quoted(dataset_id)}/stats")

    def frame(self, dataset_id: str, pandas: bool = False) -> Any:
        """The whole table as a polars DataFrame, or as one of pandas."""
        answer = self._ask("GET", f"datasets/{quoted(dataset_id)}/download", timeout=READING)
        return frames.read_parquet(answer.content, pandas)

    def download_dataset(self, dataset_id: str, to: Path | str) -> Path:
        """Write the whole table to a file: CSV or Excel where its name says so, else Parquet."""
        kind = Path(to).suffix.lower().lstrip(".")
        format = kind if kind in ("csv", "xlsx") else "parquet"
        return self._save(f"datasets/{quoted(dataset_id)}/download?format={format}", to)

    def profile(self, dataset_id: str) -> Profile:
        """Counts, spreads, frequent values, repeated rows and associations between columns."""
        return self._one(Profile, "GET", f"datasets/{quoted(dataset_id)}/profile", timeout=READING)

    def associations(self, dataset_id: str, target: str, task: str = "auto") -> list[TargetAssociation]:
        """What each column alone tells of a target, most telling first."""
        path, params = f"datasets/{quoted(dataset_id)}/associations", {"target": target, "task": task}
        return self._one(list[TargetAssociation], "GET", path, params=params, timeout=READING)

    def check(
        self, dataset_id: str, target: str = "", task: str = "auto", metric: str = "auto", split: str = "auto"
    ) -> list[Finding]:
        """What would make the score of a job a lie or its model useless, the gravest first."""
        path, params = f"datasets/{quoted(dataset_id)}/check", {"target": target, "task": task}
        asked = {**params, "metric": metric, "split": split}
        return self._one(list[Finding], "GET", path, params=asked, timeout=READING)

    def apply(self, dataset_id: str, fix: Mapping[str, Any]) -> DatasetAnswer:
        """Do what the `fix` of a finding says: other roles, or a mended version, which is another dataset."""
        path = f"datasets/{quoted(dataset_id)}/apply"
        return self._one(DatasetAnswer, "POST", path, json={"fix": dict(fix)}, timeout=READING)

    def difference(self, dataset_id: str, since: str) -> VersionDifference:
        """What changed of columns, types and values since another version."""
        path = f"datasets/{quoted(dataset_id)}/difference"
        return self._one(VersionDifference, "GET", path, params={"since": since}, timeout=READING)

    def query(self, dataset_id: str, sql: str, rows: int = 50) -> QueryAnswer:
        """The first rows of what `SELECT … FROM dataset` gives."""
        path, asked = f"datasets/{quoted(dataset_id)}/query", {"sql": sql, "rows": rows}
        return self._one(QueryAnswer, "POST", path, json=asked, timeout=READING)

    def derive(self, dataset_id: str, sql: str, name: str = "") -> DatasetAnswer:
        """Keep what a query gives as the next version, or under another name."""
        path, asked = f"datasets/{quoted(dataset_id)}/derive", {"sql": sql, "name": name}
        return self._one(DatasetAnswer, "POST", path, json=asked, timeout=READING)

    def set_roles(self, dataset_id: str, roles: Mapping[str, Role | str]) -> DatasetAnswer:
        """Say what columns are for where the guess was wrong."""
        asked = {"roles": {name: str(role) for name, role in roles.items()}}
        return self._one(DatasetAnswer, "PUT", f"datasets/{quoted(dataset_id)}/roles", json=asked)

    def move_dataset(self, dataset_id: str, project: str) -> DatasetSummary:
        """Put it into another project; empty: shared with all."""
        path = f"datasets/{quoted(dataset_id)}/project"
        return self._one(DatasetSummary, "PUT", path, json={"project": project})

    def delete_dataset(self, dataset_id: str) -> None:
        self._ask("DELETE", f"datasets/{quoted(dataset_id)}")

    def _upload_file(self, path: Path, name: str, table_name: str, show: bool | None) -> DatasetAnswer:
        size = path.stat().st_size
        if size > PART_BYTES:
            with progress.sending(path.name, size, show) as sent:
                return send(self._ask, path, name, table_name, sent)
        with path.open("rb") as file:
            return self._put(file, size, path.name, name, table_name, show)

    def _put(
        self, file: BinaryIO, size: int, file_name: str, name: str, table_name: str, show: bool | None
    ) -> DatasetAnswer:
        params = {key: value for key, value in (("title", name), ("table", table_name)) if value}
        headers = {"Content-Length": str(size), "X-SHA256": _checksum(file), **keyed()}
        with progress.sending(file_name, size, show) as sent:
            return self._one(
                DatasetAnswer,
                "PUT",
                f"datasets/{quoted(file_name)}",
                params=params,
                content=_Body(file, sent),
                headers=headers,
                timeout=httpx.Timeout(60.0, read=READING.read),
            )


def _checksum(file: BinaryIO) -> str:
    file.seek(0)
    return hashlib.sha256(file.read()).hexdigest()


class _Body:
    """A file as a body that can be sent again from its beginning."""

    def __init__(self, file: BinaryIO, sent: Callable[[int], None]) -> None:
        self._file, self._sent = file, sent

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(0)
        done = 0
        while block := self._file.read(CHUNK_BYTES):
            yield block
            done += len(block)
            self._sent(done)
