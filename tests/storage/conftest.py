from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowml.storage.db import MEMORY, Cursor, Database


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "flowml.duckdb")
    yield database
    database.close()


@pytest.fixture
def cursor() -> Iterator[Cursor]:
    database = Database(MEMORY)
    with database.write() as writer:
        yield writer
    database.close()
