"""What a format is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flowml.storage.reading import Reading

HEAD_BYTES = 1 << 18  # what `recognise` sees of a file


@dataclass(frozen=True)
class Format:
    """A row of FORMATS. `recognise` goes by the first bytes (and may open the file), never by a name."""

    key: str
    label: str
    suffixes: tuple[str, ...]
    recognise: Callable[[bytes, Path], bool]
    read: Callable[[Path], Reading]
