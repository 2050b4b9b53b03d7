"""What the families of hostile files share."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.storage.writers import TABLE, WRITERS

MB = 1 << 20
Content = bytes | Callable[[], bytes]
GOOD = b"a,b\n1,x\n2,y\n"
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {chr(98 + n)} "{"&" + chr(97 + n) + ";" * 1}{("&" + chr(97 + n) + ";") * 9}">'
        for n in range(9)
    )
    + "]>"
)


@functools.cache
def written(key: str) -> bytes:
    """The same small table in a format."""
    with tempfile.TemporaryDirectory() as folder:
        WRITERS[key](TABLE, Path(folder) / "file")
        return (Path(folder) / "file").read_bytes()
