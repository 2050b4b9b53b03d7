from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import polars as pl
import psutil
import pytest

from flowml.storage import confined, intake
from flowml.storage.errors import BrokenFile, EmptyFile, FileError, FileTooLarge, NotFound, UnknownFormat
from flowml.storage.intake import Intake, convert
from flowml.storage.records import Role

LIMIT = 100_000_000


def convert_text(folder: Path, text: str, limit: int = LIMIT) -> Intake:
    (folder / "upload.part").write_text(text)
    return convert(folder / "upload.part", "churn.csv", folder / "table.parquet", limit)


def test_a_file_becomes_parquet_with_a_schema(tmp_path: Path) -> None:
    made = convert_text(tmp_path, "id,total,total,churn\n" + "".join(f"{n},{n}.5, ,Yes\n" for n in range(30)))
    frame = pl.read_parquet(tmp_path / "table.parquet")
    assert frame.shape == (30, 4)
    assert (made.format, made.rows, made.size) == ("csv", 30, (tmp_path / "table.parquet").stat().st_size)
    assert made.schema.names == ("id", "total", "total_2", "churn")
    assert [column.role for column in made.schema.columns][:2] == [Role.IDENTIFIER, Role.NUMERIC]
    assert [finding.kind for finding in made.findings] == ["duplicate_column"]


def test_the_same_table_is_the_same_file_to_the_byte(tmp_path: Path) -> None:
    contents = set()
    for _ in range(2):
        convert_text(tmp_path, "a,b\n" + "".join(f"{n % 7},{n}\n" for n in range(5000)))
        contents.add((tmp_path / "table.parquet").read_bytes())
    assert len(contents) == 1


def test_many_columns_need_little_memory(tmp_path: Path) -> None:
    row = ",".join(f"{n % 97}.25" for n in range(2000))
    made = convert_text(tmp_path, ",".join(f"c{n}" for n in range(2000)) + "\n" + f"{row}\n" * 300)
    assert (made.rows, len(made.schema.columns)) == (300, 2000)


READ = """
import resource, sys
from pathlib import Path
from flowml.storage.formats import delimited
resource.setrlimit(resource.RLIMIT_DATA, (1_500_000_000, 1_500_000_000))
print(delimited.read(Path(sys.argv[1])).frame.shape)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are heeded on Linux alone")
def test_five_thousand_columns_in_few_rows_set_aside_little_memory(tmp_path: Path) -> None:
    wide = tmp_path / "wide.csv"
    wide.write_text("\n".join(",".join(f"{start}{n}" for n in range(5000)) for start in ("c", *[1] * 30)))
    environ = intake._environment(intake.request_for(wide, wide.name, tmp_path, 1, LIMIT, intake.MEMORY))
    call = [sys.executable, "-c", READ, str(wide)]
    said = subprocess.run(call, env={**os.environ, **environ}, capture_output=True, text=True, check=False)
    assert said.stdout.strip() == "(30, 5000)", said.stderr


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"", EmptyFile, "churn.csv is empty"),
        (b"a,b\n", EmptyFile, "no rows"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), UnknownFormat, "churn.csv is a PNG picture"),
        (b"a,b\n1\n", BrokenFile, "line 2 has 1"),
        (b"PAR1" + bytes(100) + b"PAR1", BrokenFile, "Parquet file is damaged"),
    ],
)
def test_what_the_child_refuses_comes_back_as_the_same_error(
    tmp_path: Path, content: bytes, kind: type[FileError], said: str
) -> None:
    (tmp_path / "upload").write_bytes(content)
    with pytest.raises(kind, match=said) as caught:
        convert(tmp_path / "upload", "churn.csv", tmp_path / "table.parquet", LIMIT)
    assert type(caught.value) is kind
    assert caught.value.advice
    assert not (tmp_path / "table.parquet").exists()


def test_a_file_over_the_limit_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_ask_child", lambda _: pytest.fail("a reader was started"))
    with pytest.raises(FileTooLarge, match=r"churn.csv has 404 bytes, more than the limit of 100 bytes"):
        convert_text(tmp_path, "a,b\n" + "1,2\n" * 100, limit=100)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no file churn.csv"):
        convert(tmp_path / "no", "churn.csv", tmp_path / "table.parquet", LIMIT)


def test_a_reader_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    (tmp_path / "upload").write_text("a,b\n" + "1,2\n" * 1000)
    with pytest.raises(FileTooLarge, match=r"could not be read within 0.05 seconds"):
        convert(tmp_path / "upload", "churn.csv", tmp_path / "table.parquet", LIMIT, timeout_s=0.05)
    assert not [child for child in psutil.Process().children() if "flowml.storage.reader" in child.cmdline()]


def test_a_reader_that_takes_too_much_memory_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MEMORY_PER_BYTE", 0)
    (tmp_path / "upload").write_text("a,b\n" + "1.2345678,some words in a row\n" * 1_500_000)
    with pytest.raises(FileTooLarge, match=r"needs more than 100 MB of memory"):
        convert(tmp_path / "upload", "churn.csv", tmp_path / "table.parquet", LIMIT, memory=100 << 20)


def test_a_reader_whose_studio_went_away_ends_by_itself(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never")
    request = intake.Request(
        str(tmp_path / "never"), "x.csv", str(tmp_path), 1 << 30, -4.0, LIMIT, str(tmp_path / "t")
    )
    child = subprocess.run(
        [sys.executable, "-m", "flowml.storage.reader"],
        input=json.dumps(request.to_dict()),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert child.returncode < 0


def test_only_a_process_of_its_own_keeps_the_memory_of_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[object] = []
    monkeypatch.setattr(confined.ctypes, "CDLL", kept.append)
    confined.keep_pieces()
    assert not kept
    monkeypatch.setattr(confined, "LIMITED", threading.Event())
    confined.LIMITED.set()
    confined.keep_pieces()
    assert kept


def test_the_memory_of_the_studio_does_not_grow_with_the_file(tmp_path: Path) -> None:
    convert_text(tmp_path, "a,b\n1,2\n")
    before = psutil.Process().memory_info().rss
    (tmp_path / "upload.part").write_bytes(b"a,b,c\n" + b"12345,67890.5,some words\n" * 1_000_000)
    made = convert(tmp_path / "upload.part", "churn.csv", tmp_path / "table.parquet", LIMIT)
    assert made.rows == 1_000_000
    assert psutil.Process().memory_info().rss - before < 40 << 20
