"""What child processes for files of strangers share: their limits, and how they tell what went wrong."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
import threading

from flowml.storage.errors import FlowMLError, error_of
from flowml.storage.records import Json

OUT_OF_MEMORY = (
    "memory allocation of",
    "MemoryError",
    "bad_alloc",
    "Resource temporarily unavailable",
    "failed to map segment",
)
M_MMAP_THRESHOLD = -3  # as the C library calls it
KEPT = 32 << 20  # bytes, the most that it heeds
LIMITED = threading.Event()  # whether this process is such a child
CPU_GRACE_S = 2  # between the signal that tells what was too much and the one that ends it


def limit(seconds: float, **most: int) -> None:
    """Ends this process after `seconds`, for the case that its parent went away.

    `most` of each resource by its name in the module `resource`: AS, DATA and FSIZE in bytes, CPU in seconds.
    """
    LIMITED.set()
    signal.alarm(int(seconds))
    if sys.platform == "linux":  # elsewhere limits are refused or ignored
        import resource

        for name, value in {"CORE": 0, **most}.items():
            hard = value + CPU_GRACE_S if name == "CPU" else value
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, hard))


def keep_pieces() -> None:
    """Of memory, to give them out again: one from the system is filled with zeroes first, each time.

    For readers of few columns. Those of many leave holes too small to be used. A process that goes on
    afterwards is left as it is.
    """
    if not LIMITED.is_set():
        return
    with contextlib.suppress(OSError, AttributeError):  # other C libraries have no such setting
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, KEPT)


def failure(error: FlowMLError) -> Json:
    """As the child answers."""
    return {"error": {"code": error.code, "message": error.message, "advice": error.advice}}


def answered(answer: Json) -> Json:
    """What the child answered. Raises the error that it tells of."""
    if "error" in answer:
        raise error_of(**answer["error"])
    return answer


def ran_out_of_memory(status: int, words: str) -> bool:
    """Whether a process that ended so, with these words of complaint, had too little memory."""
    return status == -signal.SIGKILL or any(sign in words for sign in OUT_OF_MEMORY)
