"""How the files of a trial get to the machine of its lead: they are there already, or come as a parcel."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from flowml.runner import parcel
from flowml.runner.journal import trial_folder
from flowml.runner.transfer import Transfer
from flowml.storage.errors import StorageError
from flowml.storage.records import Artifact


class Relay:
    """`work` is the folder of the study on this machine, and `place` tells which machines share it."""

    def __init__(self, place: str, work: Path, transfer: Transfer) -> None:
        self.place = place
        self._work = work
        self._transfer = transfer

    def bring(self, number: int, sent: Artifact | None) -> None:
        """Has the files of a trial in the folder of the study. Raises StorageError or NotFound."""
        folder = trial_folder(self._work, number)
        if sent is not None:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with self._transfer.receive(sent) as packed:
                parcel.unpack(packed, folder)
        elif not folder.is_dir():
            raise StorageError(f"The files of trial {number} are not in {folder}.", parcel.AGAIN)

    def send(self, folder: Path) -> Artifact:
        with tempfile.TemporaryDirectory(dir=self._work, prefix=".parcel-") as draft:
            packed = Path(draft) / "trial.zip"
            parcel.pack(folder, packed)
            return self._transfer.send(packed)

    def hand_over(self, folder: Path, number: int, work: str, place: str) -> Artifact | None:
        """Gives the files of a trial to a lead that works in the folder `work` of `place`.

        They are moved where that is a folder beside our own, and else sent.
        """
        if place != self.place or Path(work).resolve().parent != self._work.resolve().parent:
            return self.send(folder)
        target = trial_folder(Path(work).resolve(), number)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
        return None

    def discard(self, sent: Artifact) -> None:
        self._transfer.discard(sent.sha256)
