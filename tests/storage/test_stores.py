"""What holds of every store of artifacts: a folder, and a real S3 server."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore
import pytest

from flowml.storage import garbage, s3
from flowml.storage.artifacts import Artifacts, LocalArtifacts
from flowml.storage.errors import NotFound, StorageError
from flowml.storage.s3 import Access, S3Artifacts
from tests.storage import object_store
from tests.storage.object_store import BUCKET, Server, cut_after

ABSENT = "0" * 64
LARGE = os.urandom(1 << 20) * 20  # more than goes in one piece


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with object_store.serving(tmp_path_factory.mktemp("weed")) as running:
        yield running


@pytest.fixture
def remote(server: Server, tmp_path: Path) -> S3Artifacts:
    return S3Artifacts(BUCKET, f"{tmp_path.name}/deep", server.access, tmp_path / "cache")


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    if request.param == "folder":
        return LocalArtifacts(tmp_path / "artifacts")
    found: S3Artifacts = request.getfixturevalue("remote")
    return found


def test_bytes_and_files_come_back_under_their_hash(store: Artifacts, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(LARGE)
    small, large = store.put_bytes(b"hello"), store.put_file(tmp_path / "large")
    assert (small.sha256, small.size) == (hashlib.sha256(b"hello").hexdigest(), 5)
    assert store.path(small.sha256).read_bytes() == b"hello"
    assert store.path(large.sha256).read_bytes() == LARGE
    assert {(each.sha256, each.size) for each in store.list_()} == {
        (small.sha256, 5),
        (large.sha256, len(LARGE)),
    }


def test_parts_of_a_file_are_read_alone(store: Artifacts) -> None:
    kept = store.put_bytes(b"0123456789")
    assert store.read(kept.sha256, 3, 4) == b"3456"
    assert store.read(kept.sha256, 8, 100) == b"89"


def test_what_is_deleted_is_gone_and_may_come_again(store: Artifacts) -> None:
    kept = store.put_bytes(b"hello")
    store.path(kept.sha256)
    store.delete(kept.sha256)
    store.delete(kept.sha256)
    assert not store.has(kept.sha256)
    with pytest.raises(NotFound, match=kept.sha256):
        store.path(kept.sha256)
    assert store.put_bytes(b"hello") == kept
    assert store.has(kept.sha256)


def test_the_same_content_is_kept_once_whoever_sends_it(store: Artifacts) -> None:
    with ThreadPoolExecutor(8) as pool:
        kept = set(pool.map(store.put_bytes, [b"same"] * 30))
    assert len(kept) == len(list(store.list_())) == 1


@pytest.mark.parametrize("id", ["", "../../etc/passwd", "AB" * 32, ABSENT + "\n"])
def test_an_id_that_is_no_hash_is_refused(store: Artifacts, id: str) -> None:
    for use in (store.path, store.has, store.delete, lambda id: store.read(id, 0, 1)):
        with pytest.raises(NotFound, match="64 hexadecimal"):
            use(id)


def test_what_was_never_stored_is_not_there(store: Artifacts) -> None:
    assert not store.has(ABSENT)
    with pytest.raises(NotFound):
        store.path(ABSENT)
    with pytest.raises(NotFound):
        store.read(ABSENT, 0, 1)


def test_a_store_moves_to_another_and_goes_on_where_it_was_left(remote: S3Artifacts, tmp_path: Path) -> None:
    here = LocalArtifacts(tmp_path / "here")
    kept = [here.put_bytes(bytes([number])) for number in range(5)]
    remote.put_bytes(bytes([3]))
    heard: list[tuple[int, int]] = []
    moved = garbage.move(here, remote, lambda done, of: heard.append((done, of)))
    assert (moved.copied, moved.already, moved.size, heard[-1]) == (4, 1, 4, (4, 4))
    back = LocalArtifacts(tmp_path / "back")
    assert garbage.move(remote, back, lambda *_: None).copied == 5
    assert [back.path(each.sha256).read_bytes() for each in kept] == [bytes([n]) for n in range(5)]


# --- what goes wrong --------------------------------------------------------------------------------------


USES: tuple[Callable[[Artifacts], object], ...] = (
    lambda store: store.put_bytes(b"x"),
    lambda store: store.path(ABSENT),
    lambda store: store.read(ABSENT, 0, 1),
    lambda store: list(store.list_()),
)


@pytest.mark.parametrize("key", [object_store.KEY, "nobody"])
def test_wrong_credentials_are_said_to_be_wrong(server: Server, tmp_path: Path, key: str) -> None:
    store = S3Artifacts(BUCKET, "", Access(server.access.endpoint, key, "wrong"), tmp_path)
    for use in USES:
        with pytest.raises(StorageError, match="refuses these credentials") as caught:
            use(store)
        assert "FLOWML_S3_SECRET_KEY" in caught.value.advice
        assert "wrong" not in str(caught.value)
    assert "wrong" not in repr(Access("http://x", "k", "wrong"))


def test_a_server_that_is_away_is_said_to_be_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "RETRIES", 1)
    store = S3Artifacts(BUCKET, "", Access("http://127.0.0.1:9", "k", "s"), tmp_path)
    with pytest.raises(StorageError, match=r"s3://flowml cannot be used") as caught:
        store.has(ABSENT)
    assert "FLOWML_S3_ENDPOINT" in caught.value.advice


def test_a_cut_connection_leaves_nothing_half_read(
    server: Server, remote: S3Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "RETRIES", 1)
    (tmp_path / "large").write_bytes(LARGE)
    kept = remote.put_file(tmp_path / "large")
    with cut_after(server.port, 3 << 20) as port:
        access = Access(f"http://127.0.0.1:{port}", object_store.KEY, object_store.SECRET)
        cut = S3Artifacts(BUCKET, f"{tmp_path.name}/deep", access, tmp_path / "cut")
        with pytest.raises(StorageError, match="cannot be used"):
            cut.path(kept.sha256)
    assert [path for path in (tmp_path / "cut").rglob("*") if path.is_file()] == []
    assert remote.path(kept.sha256).read_bytes() == LARGE


def test_a_cut_connection_leaves_nothing_half_kept(
    server: Server, remote: S3Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "RETRIES", 1)
    (tmp_path / "large").write_bytes(LARGE)
    with cut_after(server.port, 3 << 20, sent=True) as port:
        access = Access(f"http://127.0.0.1:{port}", object_store.KEY, object_store.SECRET)
        cut = S3Artifacts(BUCKET, f"{tmp_path.name}/deep", access, tmp_path / "cut")
        with pytest.raises(StorageError, match="cannot be used"):
            cut.put_file(tmp_path / "large")
    assert list(remote.list_()) == []
    kept = remote.put_file(tmp_path / "large")
    assert remote.path(kept.sha256).read_bytes() == LARGE


def test_another_content_under_a_hash_is_never_handed_out(remote: S3Artifacts, tmp_path: Path) -> None:
    kept = remote.put_bytes(b"hello")
    obstore.put(remote._store, f"{kept.sha256[:2]}/{kept.sha256}", b"olleh")
    with pytest.raises(StorageError, match="another content"):
        remote.path(kept.sha256)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_files_that_are_long_unused_leave_the_cache(
    remote: S3Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, young = remote.put_bytes(b"o" * 1000), remote.put_bytes(b"y" * 1000)
    os.utime(remote.path(old.sha256), (0, 0))
    monkeypatch.setattr(s3, "CACHED", 1500)
    remote.path(young.sha256)
    cached = [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert cached == [young.sha256]
    assert remote.path(old.sha256).read_bytes() == b"o" * 1000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no small disk can be made here: {made.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_explained_and_left_as_it_was(
    small_disk: Path, remote: S3Artifacts, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "large").write_bytes(LARGE)
    here = LocalArtifacts(small_disk / "artifacts")
    with pytest.raises(StorageError, match="No space left") as caught:
        here.put_file(tmp_path / "large")
    assert "Free some space" in caught.value.advice
    assert list(here.list_()) == []
    assert here.put_bytes(b"still works").size == 11
    kept = remote.put_file(tmp_path / "large")
    full = S3Artifacts(BUCKET, f"{tmp_path.name}/deep", server.access, small_disk / "cache")
    with pytest.raises(StorageError, match="No space left"):
        full.path(kept.sha256)
    assert [path for path in (small_disk / "cache").rglob("*") if path.is_file()] == []
