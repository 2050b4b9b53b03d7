"""A file that is still being received: a reader that can use its beginning waits for what it needs.

Other files are there as a whole, and nobody waits for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Arriving:
    size: int  # bytes, once all have come
    hear: Callable[[], int]  # waits for more and answers with how many have come
    received: int = 0


_arriving: dict[Path, Arriving] = {}


def expect(path: Path, size: int, hear: Callable[[], int]) -> None:
    """From now on `path` is a file that grows to `size` bytes."""
    _arriving[path] = Arriving(size, hear)


def size_of(path: Path) -> int:
    """Bytes of the file, once it is whole."""
    coming = _arriving.get(path)
    return coming.size if coming else path.stat().st_size


def wait(path: Path, upto: int | None = None) -> None:
    """Until so many bytes have come, or all."""
    coming = _arriving.get(path)
    if coming is None:
        return
    wanted = coming.size if upto is None else min(upto, coming.size)
    while coming.received < wanted:
        coming.received = coming.hear()
