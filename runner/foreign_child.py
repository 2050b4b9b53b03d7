"""The child process that looks into an ONNX file of others, or asks it.

`python -m flowml.runner.foreign_child` takes one request as JSON on stdin and answers with one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from flowml.runner.foreign_apart import WALL_S, Request, too_large
from flowml.storage.confined import failure, limit
from flowml.storage.errors import BrokenFile, FlowMLError
from flowml.storage.records import ForeignAnswer, Json


def main() -> None:
    request = Request.from_dict(json.load(sys.stdin))
    limit(WALL_S + 5, AS=request.memory, CPU=request.cpu_s, FSIZE=0)  # it writes nothing
    said = json.dumps(_told(request))
    sys.stdout.write(said + "\n")
    sys.stdout.flush()
    os._exit(0)  # tearing down the libraries would take longer than it is worth


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
        return failure(error)
    except MemoryError:
        return failure(too_large(request))
    except OSError as error:
        return failure(BrokenFile(f"The ONNX file cannot be read: {error.strerror}.", "Let it in again."))


if __name__ == "__main__":
    main()
