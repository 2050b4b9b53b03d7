"""What a trial left behind, as one file to be sent: its record, out-of-fold predictions and fold models."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from pathlib import Path

from flowml.storage.errors import StorageError

NAME = re.compile(r"[\w][\w.-]*")
MOST_FILES = 1_000
AGAIN = "The trial is evaluated again."


def pack(folder: Path, parcel: Path) -> None:
    with zipfile.ZipFile(parcel, "w", zipfile.ZIP_STORED) as into:
        for file in sorted(folder.iterdir()):
            into.write(file, file.name)


def unpack(parcel: Path, folder: Path) -> None:
    """Appears whole or not at all. Raises StorageError for what is no parcel of ours."""
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.parcel")
    try:
        with zipfile.ZipFile(parcel) as packed:
            names = packed.namelist()
            if len(names) > MOST_FILES or not all(NAME.fullmatch(name) for name in names):
                raise StorageError(f"{parcel.name} is no parcel of a trial.", AGAIN)
            packed.extractall(draft)
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    except (OSError, zipfile.BadZipFile) as error:
        raise StorageError(
            f"A parcel cannot be unpacked: {error}.", "The trial is evaluated again."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
