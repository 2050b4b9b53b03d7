"""The process that reads what strangers made (`python -m flowml.storage.reader`), asked by `intake`.

It is given one request on its input, answers on its output, and ends.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from pathlib import Path

from flowml.storage import conversion, formats
from flowml.storage.confined import failure, limit, ran_out_of_memory
from flowml.storage.errors import BrokenFile, FlowMLError, StorageError
from flowml.storage.formats import arriving
from flowml.storage.formats.delimited import CSV, TSV, TXT
from flowml.storage.formats.row import HEAD_BYTES
from flowml.storage.intake import Intake, Request, crash
from flowml.storage.records import Json

RESERVED = 1 << 30  # bytes that libraries set aside beside what they fill
GRACE_S = 5
COMING_S = 24 * 3600.0  # that a file may take to come; the studio ends its reader much earlier
TEXTS = (CSV, TSV, TXT)  # that may be read while they come
DISK = 1 << 30  # bytes of its files beside what the table unpacks to


def main() -> None:
    request = Request.from_dict(json.loads(sys.stdin.readline()))
    _limit(request)
    if request.coming:
        arriving.expect(Path(request.source), request.coming, functools.partial(_hear, request))
    sys.stdout.write(json.dumps(_answer(request)))
    sys.stdout.flush()
    os._exit(0)  # threads of a reader that was refused half-way may abort an orderly exit


def _limit(request: Request) -> None:
    seconds = COMING_S if request.coming else request.timeout_s + GRACE_S
    limit(seconds, DATA=request.memory + RESERVED, FSIZE=3 * request.limit + DISK)


def _hear(request: Request) -> int:
    """How much of the file has come; waits for the studio to tell, and ends where it is gone."""
    told = sys.stdin.readline()
    if not told.strip():
        os._exit(1)
    received = int(told)
    if received >= request.coming:
        signal.alarm(int(request.timeout_s + GRACE_S))
    return received


def _answer(request: Request) -> Json:
    try:
        return _read(request)
    except FlowMLError as error:
        return failure(error)
    except MemoryError:
        return failure(crash(request, -signal.SIGKILL, ""))
    except OSError as error:
        return failure(StorageError(f"{request.name} could not be read or kept: {error.strerror}."))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic inside a reader is no Exception
        if ran_out_of_memory(0, str(error)):  # of a thread that could not be started, say
            return failure(crash(request, -signal.SIGKILL, ""))
        return failure(BrokenFile(f"{request.name} cannot be read: {error}.", "Export the file again."))


def _read(request: Request) -> Json:
    folder, source = Path(request.folder), Path(request.source)
    arriving.wait(source, HEAD_BYTES)
    found = formats.locate(source, request.name, folder, request.table, request.limit)
    if found.format not in TEXTS:
        arriving.wait(source)
    if not request.target:
        return {"tables": list(found.names)}
    target = Path(request.target)
    made = conversion.convert(found, target, folder)
    table = " ".join(filter(None, (found.member if found.others else "", made.table)))
    intake = Intake(
        found.format.key, made.schema, made.schema.rows, target.stat().st_size, made.findings, table
    )
    return intake.to_dict()


if __name__ == "__main__":
    main()
