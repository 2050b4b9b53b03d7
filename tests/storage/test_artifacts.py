from __future__ import annotations

import errno
import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowml.storage.artifacts import Artifacts, LocalArtifacts
from flowml.storage.errors import NotFound, StorageError

ABSENT = "0" * 64


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return LocalArtifacts(tmp_path / "artifacts")


def test_bytes_come_back_under_their_hash(artifacts: Artifacts) -> None:
    kept = artifacts.put_bytes(b"hello")
    assert kept.sha256 == hashlib.sha256(b"hello").hexdigest()
    assert kept.size == 5
    assert artifacts.path(kept.sha256).read_bytes() == b"hello"


def test_a_file_is_copied_and_stays(artifacts: Artifacts, tmp_path: Path) -> None:
    source = tmp_path / "table.parquet"
    source.write_bytes(b"x" * 3_000_000)
    kept = artifacts.put_file(source)
    assert source.exists()
    assert artifacts.path(kept.sha256).read_bytes() == source.read_bytes()


def test_a_file_is_taken_without_a_copy_where_both_lie_on_one_disk(
    artifacts: LocalArtifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "table.parquet"
    source.write_bytes(b"x" * 100)
    place = artifacts.path(artifacts.take_file(source).sha256)
    assert place.samefile(source)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    artifacts.delete(place.name)

    link = Path.hardlink_to

    def elsewhere(place: Path, target: Path) -> None:
        if target == source:
            raise OSError(errno.EXDEV, "Invalid cross-device link", str(source))
        link(place, target)

    monkeypatch.setattr(Path, "hardlink_to", elsewhere)
    place = artifacts.path(artifacts.take_file(source).sha256)
    assert not place.samefile(source)
    assert place.read_bytes() == source.read_bytes()


def test_the_same_content_is_kept_once(artifacts: LocalArtifacts) -> None:
    with ThreadPoolExecutor(8) as pool:
        kept = set(pool.map(artifacts.put_bytes, [b"same"] * 50))
    assert len(kept) == 1
    assert len([path for path in artifacts.root.rglob("*") if path.is_file()]) == 1


def test_only_the_owner_may_read(artifacts: Artifacts) -> None:
    path = artifacts.path(artifacts.put_bytes(b"secret").sha256)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_deleted_is_gone(artifacts: Artifacts) -> None:
    kept = artifacts.put_bytes(b"hello")
    artifacts.delete(kept.sha256)
    artifacts.delete(kept.sha256)
    assert not artifacts.has(kept.sha256)
    with pytest.raises(NotFound, match=kept.sha256):
        artifacts.path(kept.sha256)


@pytest.mark.parametrize("id", ["", "../../etc/passwd", "AB" * 32, ABSENT + "\n", "0" * 63])
def test_an_id_that_is_no_hash_never_leaves_the_folder(artifacts: Artifacts, id: str) -> None:
    with pytest.raises(NotFound, match="64 hexadecimal"):
        artifacts.path(id)


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        LocalArtifacts(tmp_path / "file" / "artifacts")


def test_what_a_killed_process_left_half_written_is_removed_after_a_day(tmp_path: Path) -> None:
    old, young = tmp_path / "new-old", tmp_path / "new-young"
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    LocalArtifacts(tmp_path)
    assert list(tmp_path.iterdir()) == [young]
