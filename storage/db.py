"""The only place that opens the DuckDB file that holds what we know of datasets, jobs, trials and models.

One process owns the file. Within it every call takes its own cursor (a connection shared between threads
mixes up answers), and writers take turns.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias, TypeVar

import duckdb

from flowml.storage import migrations
from flowml.storage.errors import StorageError

Cursor: TypeAlias = duckdb.DuckDBPyConnection
T = TypeVar("T")

OPTIONS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,  # nothing is downloaded at run time
    "autoload_known_extensions": False,
    "memory_limit": "1GB",
    "threads": 2,
}
ATTEMPTS = 5
MEMORY = Path(":memory:")


class Database:
    """Opens (or makes) the file and brings its tables up to date. `Database(MEMORY)` leaves no file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = _connect(path)
        self._turn = threading.Lock()
        self._writer: int | None = None
        self.generation = 0  # as long as it stays, what was read is still so, but for what passes by
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def read(self) -> Iterator[Cursor]:
        """A cursor for one call in one thread."""
        with _refusals(self.path), self._connection.cursor() as cursor:
            yield cursor

    @contextlib.contextmanager
    def write(self, passing: bool = False) -> Iterator[Cursor]:
        """A cursor inside one transaction: kept if the block ends well, else rolled back as a whole.

        What is `passing` tells only of work under way and of visits (trials, logs, the last use of a
        token), and leaves `generation` as it is.
        """
        with self._my_turn(), _refusals(self.path), self._connection.cursor() as cursor:
            cursor.begin()
            try:
                yield cursor
                cursor.commit()
                self.generation += not passing
            except BaseException:
                with contextlib.suppress(duckdb.TransactionException):  # a failed commit has ended it already
                    cursor.rollback()
                raise

    def transact(self, change: Callable[[Cursor], T], passing: bool = False) -> T:
        """Runs `change` in one transaction, again if DuckDB finds a conflict; `change` may thus run twice."""
        for _ in range(ATTEMPTS - 1):
            with contextlib.suppress(_ConflictError), self.write(passing) as cursor:
                return change(cursor)
        with self.write(passing) as cursor:
            return change(cursor)

    def snapshot(self, path: Path) -> None:
        """Writes a copy that another process may open, whole or not at all."""
        part = path.with_name(path.name + ".part")
        with _folder_errors(path):
            part.unlink(missing_ok=True)
        with self._my_turn(), _refusals(path), self._connection.cursor() as cursor:
            (own,) = cursor.execute("SELECT current_database()").fetchall()[0]
            cursor.execute(f"ATTACH {_quoted(str(part))} AS snapshot")
            try:
                cursor.execute(f'COPY FROM DATABASE "{own}" TO snapshot')
            finally:
                cursor.execute("DETACH snapshot")
        with _folder_errors(path):
            part.replace(path)

    def close(self) -> None:
        self._connection.close()

    def _migrate(self) -> None:
        with self.read() as cursor:
            version = migrations.version(cursor)
        pending = migrations.after(version)
        if version and pending and self.path != MEMORY:
            self.snapshot(self.path.with_name(f"{self.path.stem}.before-{pending[0].version:04}.duckdb"))
        for step in pending:
            with self.write() as cursor:
                migrations.apply(cursor, step)

    @contextlib.contextmanager
    def _my_turn(self) -> Iterator[None]:
        if self._writer == threading.get_ident():
            raise StorageError("write() was called inside write().", "Hand the cursor on instead.")
        with self._turn:
            self._writer = threading.get_ident()
            try:
                yield
            finally:
                self._writer = None


class _ConflictError(StorageError):
    """Another transaction changed the same rows; to try again may help."""


def _connect(path: Path) -> Cursor:
    if path == MEMORY:
        return duckdb.connect(":memory:", config=OPTIONS)
    with _folder_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _refusals(path):
        return duckdb.connect(str(path), config=OPTIONS)


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """What disk and database refuse, in our words. A fault in our SQL stays as it is."""
    try:
        yield
    except duckdb.TransactionException as error:
        raise _ConflictError(f"Two changes to {path} met: {error}.", "Try again.") from error
    except duckdb.IOException as error:
        raise _io_error(path, str(error)) from error
    except (duckdb.FatalException, duckdb.OutOfMemoryException) as error:
        raise StorageError(f"The database {path} refused: {error}.", "Restart the studio.") from error


@contextlib.contextmanager
def _folder_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror or error}.", "Check the folder's rights."
        ) from error


def _io_error(path: Path, message: str) -> StorageError:
    holder = re.search(r"lock is held in (.*?) \(PID (\d+)\)", message)
    if holder:
        program, pid = holder.groups()
        return StorageError(
            f"The database {path} is in use by process {pid} ({program}).",
            "Stop the studio that runs on this data folder, or choose another folder.",
        )
    if "not a valid DuckDB database" in message:
        return StorageError(f"{path} is no DuckDB database.", "Move it away, or restore a backup.")
    return StorageError(
        f"The database {path} refused: {message}.", "Check free space and the folder's rights."
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
