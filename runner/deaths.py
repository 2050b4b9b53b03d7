"""Why a child was lost, in words, with what to do about it."""

from __future__ import annotations

import signal
from typing import NamedTuple

from flowml.storage.errors import TrialCrashed, TrialOutOfMemory, TrialTimeout


class Death(NamedTuple):
    cause: str
    advice: str


DEATHS: dict[int, Death] = {
    signal.SIGSEGV: Death(
        "Its process crashed with a memory fault (SIGSEGV).",
        "This is a fault in the library; leave the algorithm out if it happens again.",
    ),
    signal.SIGKILL: Death(
        "Its process was killed from outside (SIGKILL), most likely by the system for want of memory.",
        "Use fewer rows or columns, fewer trials side by side, or a machine with more memory.",
    ),
    signal.SIGABRT: Death(
        "Its process aborted (SIGABRT): a library gave up on an inner check.",
        "The log of the job has its last words; leave the algorithm out if it happens again.",
    ),
    signal.SIGBUS: Death(
        "Its process crashed on memory that went away (SIGBUS).",
        "Look whether the disk or the shared memory of this machine is full.",
    ),
    signal.SIGFPE: Death(
        "Its process crashed on an impossible calculation (SIGFPE).",
        "This is a fault in the library; leave the algorithm out if it happens again.",
    ),
    signal.SIGILL: Death(
        "Its process met an instruction that this processor does not know (SIGILL).",
        "The library was built for a newer processor; leave the algorithm out on this machine.",
    ),
    signal.SIGTERM: Death(
        "Its process was told to end from outside (SIGTERM).",
        "Look who ends processes on this machine.",
    ),
}


def crashed(code: int, last_words: str = "") -> TrialCrashed:
    """The end that an exit code tells of; negative codes are signals."""
    if code >= 0:
        said = f" It said last: {last_words[:200]}" if last_words else ""
        return TrialCrashed(
            f"Its process ended by itself with exit code {code}.{said}",
            "The log of the job has the whole story.",
        )
    cause, advice = DEATHS.get(-code) or Death(f"Its process was ended by signal {_name(-code)}.", "")
    return TrialCrashed(cause, advice)


def speechless(babbled: bool) -> TrialCrashed:
    """It lives, but the lane cannot hear it any more."""
    what = "wrote other things into" if babbled else "closed"
    return TrialCrashed(
        f"It {what} the pipe through which its process answers.",
        "This is a fault in the library; leave the algorithm out if it happens again.",
    )


def late(limit_s: float) -> TrialTimeout:
    return TrialTimeout(
        f"It outran its time: {limit_s:.1f} s were given.",
        "Give the job a longer budget, fewer rows, or leave this algorithm out.",
    )


def too_large(used: int, limit: int) -> TrialOutOfMemory:
    return TrialOutOfMemory(
        f"It outran its memory: {used / 2**20:,.0f} MiB were in use, the limit is {limit / 2**20:,.0f} MiB.",
        "Leave this algorithm out, use fewer rows, or give the worker more memory.",
    )


def _name(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:  # a real-time signal has no name
        return str(number)
