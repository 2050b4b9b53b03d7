"""Log records of the studio and the workers: readable on stderr, in a file, and as facts for the Logs page.

Whatever is written goes through one place that hides secrets.
"""

from __future__ import annotations

import logging
import logging.handlers
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from flowml.runner.settings import Settings
from flowml.storage.records import FactKind, Json, Level, LogLine

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
LONGEST = 4_000  # characters of a line that go to the database
FILE_BYTES = 5 * 2**20
FILES = 3
SHORTEST_SECRET = 4  # hiding shorter ones would garble every line
PASSWORD_IN_URL = re.compile(r"(?<=://)([^/@\s:]*):[^@\s]*@")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")

LEVELS: dict[int, Level] = {
    logging.DEBUG: Level.DEBUG,
    logging.INFO: Level.INFO,
    logging.WARNING: Level.WARNING,
    logging.ERROR: Level.ERROR,
    logging.CRITICAL: Level.ERROR,
}
OURS = "flowml"
CHATTY = ("rq.worker", "rq.job", "rq.queue")  # they set their own level to info

Put = Callable[[FactKind, Json], object]


class Discreet(logging.Formatter):
    """Hides the secrets of the settings and passwords in addresses."""

    def __init__(self, format: str, secrets: Iterable[str]) -> None:
        super().__init__(format, datefmt="%H:%M:%S")
        self._secrets = tuple(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)

    def format(self, record: logging.LogRecord) -> str:
        text = COLOURS.sub("", super().format(record))
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return PASSWORD_IN_URL.sub(r"\1:***@", text)


class FactLog(logging.Handler):
    """Makes a fact of each record. A record may bear `job_id` and `trial` (logging's `extra`)."""

    def __init__(self, source: str, put: Put) -> None:
        super().__init__()
        self._source = source
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        line = LogLine(
            at=record.created,
            level=_level(record.levelno),
            source=self._source,
            message=self.format(record)[:LONGEST],
            job_id=getattr(record, "job_id", ""),
            trial=getattr(record, "trial", None),
        )
        self._put(FactKind.LOG, line.to_dict())


def set_up(settings: Settings, source: str, put: Put | None = None, file: Path | None = None) -> None:
    """Routes all records of this process: to stderr, to `file`, and through `put` as facts."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handlers.append(
            logging.handlers.RotatingFileHandler(
                file, maxBytes=FILE_BYTES, backupCount=FILES, encoding="utf-8"
            )
        )
    for handler in handlers:
        handler.setFormatter(Discreet(FORMAT, settings.secrets()))
    if put is not None:
        told = FactLog(source, put)
        told.setFormatter(Discreet("%(message)s", settings.secrets()))
        handlers.append(told)
    take_down()
    root, level = logging.getLogger(), logging.getLevelNamesMapping()[settings.log_level.upper()]
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger(OURS).setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(root.level)
    for handler in handlers:
        handler.set_name(f"{OURS}.{type(handler).__name__}")
        root.addHandler(handler)


def take_down() -> None:
    """Removes what `set_up` added; handlers of others stay."""
    root = logging.getLogger()
    for handler in [each for each in root.handlers if (each.name or "").startswith(f"{OURS}.")]:
        root.removeHandler(handler)
        handler.close()


def _level(number: int) -> Level:
    known = [level for least, level in LEVELS.items() if least <= number]
    return known[-1] if known else Level.DEBUG
