"""Files of other machines: fetched once, verified, going on where they broke off, dropped by age."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest

from flowml.runner.cache import Cache
from flowml.storage.errors import StorageError


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def gives(content: bytes, calls: list[int]) -> object:
    def fetch(part: Path) -> None:
        begun = part.stat().st_size if part.exists() else 0
        calls.append(begun)
        with part.open("ab") as file:
            file.write(content[begun:])

    return fetch


def test_a_file_is_fetched_once_by_several_at_a_time(tmp_path: Path) -> None:
    content, calls = b"x" * 1000, list[int]()
    caches = [Cache(tmp_path, 10**6) for _ in range(4)]

    def slow(part: Path) -> None:
        time.sleep(0.1)
        gives(content, calls)(part)  # type: ignore[operator]

    threads = [threading.Thread(target=cache.get, args=(sha(content), slow)) for cache in caches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [0]
    assert caches[0].get(sha(content), slow).read_bytes() == content


def test_a_fetch_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    content, calls = b"0123456789", list[int]()

    def breaks(part: Path) -> None:
        part.write_bytes(content[:4])
        raise StorageError("The studio is gone.")

    cache = Cache(tmp_path, 10**6)
    with pytest.raises(StorageError):
        cache.get(sha(content), breaks)
    assert cache.get(sha(content), gives(content, calls)).read_bytes() == content  # type: ignore[arg-type]
    assert calls == [4]


def test_other_content_is_refused_and_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10**6)
    with pytest.raises(StorageError, match="other content"):
        cache.get(sha(b"right"), lambda part: part.write_bytes(b"wrong") and None)
    right = cache.get(sha(b"right"), lambda part: part.write_bytes(b"right") and None)
    assert right.read_bytes() == b"right"


def test_what_was_used_long_ago_makes_room_unless_it_is_in_use(tmp_path: Path) -> None:
    old, used, new = (letter * 400 for letter in (b"a", b"b", b"c"))
    busy = Cache(tmp_path, 10**6)
    kept = busy.get(sha(used), lambda part: part.write_bytes(used) and None)
    before = Cache(tmp_path, 10**6)
    gone = before.get(sha(old), lambda part: part.write_bytes(old) and None)
    before.close()
    os.utime(kept, (1, 1))
    os.utime(gone, (2, 2))
    Cache(tmp_path, 900).get(sha(new), lambda part: part.write_bytes(new) and None)
    assert kept.is_file()
    assert not gone.exists()
