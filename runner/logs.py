"""Log records of the studio and the workers: on stderr, in a file, and as facts for the Logs page.

They are lines for people or JSON for programs, by FLOWML_LOG_FORMAT. A record may bear `job_id` and `trial`
(logging's `extra`); in a process that works on one job each record bears that one. Whatever is written goes
through one place that hides secrets.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from flowml.runner.settings import Settings
from flowml.storage.records import FactKind, Json, Level, LogLine
from flowml.storage.shown import harmless

FORMAT = "%(asctime)s %(levelname)-7s %(name)s%(place)s: %(message)s"
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
STRANGERS = ("uvicorn", "websockets")  # who sends nonsense causes their warnings: these fill no table
CHATTY = ("rq.worker", "rq.job", "rq.queue")  # they set their own level to info

Put = Callable[[FactKind, Json], object]


class Discreet(logging.Formatter):
    """Hides the secrets of the settings and passwords in addresses."""

    def __init__(self, format: str, secrets: Iterable[str]) -> None:
        super().__init__(format, datefmt="%Y-%m-%d %H:%M:%S")
        self._secrets = tuple(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)

    def format(self, record: logging.LogRecord) -> str:
        return self.hide(super().format(record))

    def hide(self, text: str) -> str:
        text = harmless(COLOURS.sub("", text))
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return PASSWORD_IN_URL.sub(r"\1:***@", text)


class Structured(Discreet):
    """One JSON object a line: `at`, `level`, `source`, `logger`, `message`, and where known `job_id`, `trial`
    and `trace`."""

    def __init__(self, source: str, secrets: Iterable[str]) -> None:
        super().__init__("%(message)s", secrets)
        self._source = source

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told = {
            "at": at.replace("+00:00", "Z"),
            "level": _level(record.levelno).value,
            "source": self._source,
            "logger": record.name,
            "message": self.hide(record.getMessage()),
            "job_id": getattr(record, "job_id", ""),
            "trial": getattr(record, "trial", None),
            "trace": self.hide(self.formatException(record.exc_info)) if record.exc_info else "",
        }
        return json.dumps({name: value for name, value in told.items() if value not in ("", None)})


class Placed(logging.Filter):
    """Tells of each record which job and trial it belongs to: `job_id` where the record does not say."""

    def __init__(self, job_id: str) -> None:
        super().__init__()
        self._job_id = job_id

    def filter(self, record: logging.LogRecord) -> bool:
        job_id, trial = getattr(record, "job_id", "") or self._job_id, getattr(record, "trial", None)
        record.job_id = job_id
        known = ([job_id] if job_id else []) + ([] if trial is None else [f"trial {trial}"])
        record.place = f" [{' '.join(known)}]" if known else ""
        return True


class FactLog(logging.Handler):
    """Makes a fact of each record."""

    def __init__(self, source: str, put: Put) -> None:
        super().__init__()
        self._source = source
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.ERROR and record.name.partition(".")[0] in STRANGERS:
            return
        line = LogLine(
            at=record.created,
            level=_level(record.levelno),
            source=self._source,
            message=self.format(record)[:LONGEST],
            job_id=getattr(record, "job_id", ""),
            trial=getattr(record, "trial", None),
        )
        self._put(FactKind.LOG, line.to_dict())


def set_up(
    settings: Settings, source: str, put: Put | None = None, file: Path | None = None, job_id: str = ""
) -> None:
    """Routes all records of this process: to stderr, to `file`, and through `put` as facts.

    `job_id` names the one job that the process works on.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handlers.append(
            logging.handlers.RotatingFileHandler(
                file, maxBytes=FILE_BYTES, backupCount=FILES, encoding="utf-8"
            )
        )
    for handler in handlers:
        handler.setFormatter(formatter(settings, source))
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
        handler.addFilter(Placed(job_id))
        root.addHandler(handler)


def formatter(settings: Settings, source: str) -> logging.Formatter:
    """Makes a line of a record, as FLOWML_LOG_FORMAT wants it."""
    if settings.log_format == "json":
        return Structured(source, settings.secrets())
    return Discreet(FORMAT, settings.secrets())


def take_in(*names: str) -> None:
    """Has libraries that write to stderr by themselves write through us: these loggers and all below them."""
    known = logging.root.manager.loggerDict
    for name in [each for each in known if each.partition(".")[0] in names]:
        logger = logging.getLogger(name)
        logger.propagate = True
        for handler in list(logger.handlers):
            logger.removeHandler(handler)


def turn_over(file: Path) -> None:
    """Sets a file aside that has grown over FILE_BYTES, as `file.1`, and goes on with an empty one.

    For what other processes write to: they keep the same open file. Lines of that very moment can be lost.
    """
    if not file.is_file() or file.stat().st_size <= FILE_BYTES:
        return
    for number in range(FILES - 1, 0, -1):
        with suppress(FileNotFoundError):
            file.with_name(f"{file.name}.{number}").replace(file.with_name(f"{file.name}.{number + 1}"))
    shutil.copyfile(file, file.with_name(f"{file.name}.1"))
    with file.open("r+b") as grown:
        grown.truncate()


def take_down() -> None:
    """Removes what `set_up` added; handlers of others stay."""
    root = logging.getLogger()
    for handler in [each for each in root.handlers if (each.name or "").startswith(f"{OURS}.")]:
        root.removeHandler(handler)
        handler.close()


def _level(number: int) -> Level:
    known = [level for least, level in LEVELS.items() if least <= number]
    return known[-1] if known else Level.DEBUG
