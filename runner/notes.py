"""The note that a running studio leaves in its data folder: where it answers, and a key for its own user.

Whoever can read the note can read the whole folder, so the key lets in as an administrator. It is another at
each start.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from flowml.storage.records import Record

NAME = "studio.json"


@dataclass(frozen=True)
class Note(Record):
    address: str
    pid: int
    key: str
    certificate: str = ""  # the file with it, where the studio answers by HTTPS


def write_note(home: Path, note: Note) -> None:
    """For the owner of the folder alone."""
    part = home / f"{NAME}.part"
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(note.to_dict(), file)
    part.replace(home / NAME)


def read_note(home: Path) -> Note | None:
    """None where no studio runs on the folder, or another user's."""
    try:
        return Note.from_dict(json.loads((home / NAME).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def remove_note(home: Path) -> None:
    (home / NAME).unlink(missing_ok=True)
