"""Kinds of values that people write as text: durations, sizes, yes and no."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DECIMAL = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BYTES = _DECIMAL | {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def duration(text: str) -> float:
    """Seconds of '90', '90s', '5m' or '1h'; ValueError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if match is None or match[2] not in _SECONDS:
        raise ValueError(text)
    return float(match[1]) * _SECONDS[match[2]]


def size(text: str) -> int:
    """Bytes of '1048576', '200MB' or '1.5GiB'; ValueError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Z]*)", text.strip().upper())
    if match is None or match[2] not in _BYTES:
        raise ValueError(text)
    return int(float(match[1]) * _BYTES[match[2]])


def flag(text: str) -> bool:
    if text.strip().lower() in {"1", "true", "yes", "on"}:
        return True
    if text.strip().lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError(text)


def folder(text: str) -> Path:
    if not text.strip():
        raise ValueError(text)
    return Path(text).expanduser().absolute()


def parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


class Kind(NamedTuple):
    parse: Callable[[str], Any]
    expected: str


KINDS: dict[str, Kind] = {
    "text": Kind(str, "text"),
    "integer": Kind(int, "a whole number"),
    "flag": Kind(flag, "true or false"),
    "folder": Kind(folder, "a folder"),
    "file": Kind(folder, "a file"),
    "list": Kind(parts, "a list such as a,b,c"),
    "duration": Kind(duration, "a duration such as 90s, 5m or 1h"),
    "size": Kind(size, "a size such as 500MB or 2GB"),
}


def written(value: Any) -> str:
    """The text that a kind reads back as `value`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(str(item) for item in value)
    return str(value)
