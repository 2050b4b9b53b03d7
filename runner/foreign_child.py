"""The child process that looks into an ONNX file of others, or asks it.

`python -m flowml.runner.foreign_child` takes one request as JSON on stdin and answers with one line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from flowml.runner.foreign_apart import WALL_S, Request, too_large
from flowml.storage.errors import BrokenFile, FlowMLError
from flowml.storage.records import ForeignAnswer, Json


def main() -> None:
    request = Request.from_dict(json.load(sys.stdin))
    _limit(request)
    said = json.dumps(_told(request))
    sys.stdout.write(said + "\n")
    sys.stdout.flush()
    os._exit(0)  # tearing down the libraries would take longer than it is worth


def _limit(request: Request) -> None:
    """No more memory and time than allowed, nothing written, no other process."""
    signal.alarm(int(WALL_S) + 5)  # for the case that the parent went away
    if sys.platform == "linux":  # elsewhere limits are refused or ignored
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (request.memory, request.memory))
        resource.setrlimit(resource.RLIMIT_CPU, (request.cpu_s, request.cpu_s + 2))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _told(request: Request) -> Json:
    from flowml.automl.foreign import ask, look

    began = time.perf_counter()
    try:
        content = Path(request.path).read_bytes()
        if request.graph is None:
            return {"graph": look(content).to_dict()}
        outputs = ask(content, request.graph, request.rows)
        seconds = round(time.perf_counter() - began, 6)
        return {"answer": ForeignAnswer(outputs, len(request.rows), seconds).to_dict()}
    except FlowMLError as error:
        return _error(error)
    except MemoryError:
        return _error(too_large(request))
    except OSError as error:
        return _error(BrokenFile(f"The ONNX file cannot be read: {error.strerror}.", "Let it in again."))


def _error(error: FlowMLError) -> Json:
    return {"error": {"code": error.code, "message": error.message, "advice": error.advice}}


if __name__ == "__main__":
    main()
