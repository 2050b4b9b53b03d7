"""Large text that is made a table while it is still received."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path, PurePath

from flowml.storage import intake
from flowml.storage.confined import answered
from flowml.storage.conversion import LARGE
from flowml.storage.errors import FlowMLError
from flowml.storage.formats.delimited import CSV, TSV, TXT
from flowml.storage.intake import Intake

SUFFIXES = frozenset((*CSV.suffixes, *TSV.suffixes, *TXT.suffixes))
IDLE_S = 60.0  # without news


def fits(name: str, size: int) -> bool:
    return size >= LARGE and PurePath(name).suffix.lower() in SUFFIXES


class Ahead:
    """A child that reads a file as its bytes come. Where it fails, the file is read anew once it is whole."""

    def __init__(
        self, source: Path, name: str, size: int, folder: Path | None, prefix: str, limit: int, memory: int
    ) -> None:
        """Raises StorageError where no child can be started."""
        self.name, self.received = name, 0
        self._folder = tempfile.TemporaryDirectory(prefix=prefix, dir=folder)
        self.target = Path(self._folder.name) / "table.parquet"
        request = intake.request_for(
            source, name, Path(self._folder.name), size, limit, memory, str(self.target), coming=size
        )
        self._reader = intake.Reader(request)
        self._rest()

    def tell(self, received: int) -> None:
        """So many bytes have come, which stay as they are."""
        self._timer.cancel()
        self.received = received
        self._reader.tell(str(received))
        self._rest()

    def finish(self) -> Intake | None:
        """What was made of the whole file, as `target`; None where it must be read anew."""
        self._timer.cancel()
        try:
            return Intake.from_dict(answered(self._reader.answer()))
        except FlowMLError:
            return None

    def end(self) -> None:
        """To end it twice is no error."""
        self._timer.cancel()
        self._reader.end()
        self._folder.cleanup()

    def _rest(self) -> None:
        """A child that hears nothing for long gives its memory back."""
        self._timer = threading.Timer(IDLE_S, self._reader.kill)
        self._timer.daemon = True
        self._timer.start()
