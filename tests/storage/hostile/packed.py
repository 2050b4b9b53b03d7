"""What is cut, flipped, packed and overpacked."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import lzma
import random
import zipfile
from collections.abc import Callable, Iterator

import pyarrow as pa

from tests.storage.hostile.common import GOOD, MB, Content, written
from tests.storage.writers import WRITERS

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda content: bytes(pa.compress(content, "zstd", asbytes=True)),
}


# --- what chance and a full disk do -----------------------------------------------------------------------


def damaged() -> Iterator[tuple[str, Content]]:
    for key in WRITERS:
        for share in (0.1, 0.5, 0.9, 0.99):
            yield f"cut-{int(share * 100)}.{key}", functools.partial(_cut, key, share)
        for seed in range(5):
            yield f"flipped-{seed}.{key}", functools.partial(_flipped, key, seed)
        yield f"tail.{key}", functools.partial(lambda key: written(key) + bytes(1000), key)


def _cut(key: str, share: float) -> bytes:
    return written(key)[: max(1, int(len(written(key)) * share))]


def _flipped(key: str, seed: int) -> bytes:
    chance = random.Random(f"{key}{seed}")
    content = bytearray(written(key))
    for _ in range((1, 3, 10, 30, 100)[seed]):
        content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content)


# --- what is packed ---------------------------------------------------------------------------------------


def packed() -> Iterator[tuple[str, Content]]:
    for key, pack in PACKERS.items():
        yield f"bomb.csv.{key}", functools.partial(lambda pack: pack(b"0\n" * MB) * 100, pack)
        yield f"cut.csv.{key}", pack(GOOD * 100)[:-6]
        yield f"of-nothing.csv.{key}", pack(b"")
        yield f"of-a-picture.{key}", pack(b"\x89PNG\r\n\x1a\n" + bytes(50))
        yield f"twice.csv.{key}", pack(pack(GOOD))
        yield f"six-times.csv.{key}", functools.reduce(lambda content, _: pack(content), range(6), GOOD)
        middle = bytearray(pack(random.Random(0).randbytes(5000)))
        middle[len(middle) // 2] ^= 0xFF
        yield f"flipped.csv.{key}", bytes(middle)


def _zip(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", method) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, content)
    return into.getvalue()


def archives() -> Iterator[tuple[str, Content]]:
    yield "bomb.zip", lambda: _zip(("t.csv", b"0\n" * (100 * MB)))
    yield "bomb-in-bomb.zip", lambda: _zip(("t.zip", _zip(("t.csv", b"0\n" * (80 * MB)))))
    yield "many-members.zip", lambda: _zip(*((f"{n}.csv", b"a\n1\n") for n in range(10_500)), method=0)
    for number, name in enumerate(
        (
            "../../evil.csv",
            "/etc/evil.csv",
            "C:\\evil.csv",
            "..\\evil.csv",
            "a/" * 500 + "e.csv",
            "ü\u202e.csv",
            "-rf.csv",
            "~/.csv",
            " .csv",
        )
    ):
        yield f"path-{number}.zip", _zip((name, GOOD))
        yield f"paths-{number}.zip", _zip((name, GOOD), ("x.csv", GOOD))
    yield "empty.zip", _zip()
    yield "only-folders.zip", _zip(("a/", b""), ("b/", b""))
    yield "no-table.zip", _zip(("a.md", b"x"), ("b.exe", b"MZ\x90"))
    yield "empty-member.zip", _zip(("a.csv", b""))
    yield "word.zip", _zip(("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<x/>"))
    yield "nested.zip", functools.reduce(lambda content, _: _zip(("t.zip", content)), range(6), GOOD)
    good = _zip(("t.csv", GOOD * 50))
    yield "cut.zip", good[:-30]
    yield "no-directory.zip", good[: good.index(b"PK\x01\x02")]
    yield "protected.zip", _patched(good, 6, b"\x01\x00", b"PK\x01\x02", 8)
    yield "method.zip", _patched(good, 8, b"\x63\x00", b"PK\x01\x02", 10)
    yield "lies-of-size.zip", _patched(good, 22, b"\xff\xff\xff\x7f", b"PK\x01\x02", 24)
    yield "lies-of-crc.zip", _patched(good, 14, b"\1\2\3\4", b"PK\x01\x02", 16)
    yield "far-offset.zip", _patched(good, 0, b"", b"PK\x01\x02", 42, b"\xff\xff\xff\x7f")
    yield "twice-the-name.zip", good.replace(b"t.csv", b"t.csv") + good


def _patched(
    content: bytes, at: int, with_: bytes, mark: bytes, then: int, other: bytes | None = None
) -> bytes:
    """Changes a field of the local header, and the same in the directory."""
    patched = bytearray(content)
    patched[at : at + len(with_)] = with_
    place = content.index(mark) + then
    told = with_ if other is None else other
    patched[place : place + len(told)] = told
    return bytes(patched)
