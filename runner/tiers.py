"""TIERS: the queues and what a machine needs to serve them, in the order in which a worker looks at them.

A machine with a GPU also takes CPU work, after the work that only it can do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flowml.storage.records import Capabilities

GIB = 2**30
SLACK = GIB // 2  # a "24 GB" card reports a little less than 24 GiB


@dataclass(frozen=True)
class Tier:
    queue: str
    needs: str  # in words, for the screen and the command line
    served_by: Callable[[Capabilities], bool]


def _any(_capabilities: Capabilities) -> bool:
    return True


def _language_model(capabilities: Capabilities) -> bool:
    return bool(capabilities.ollama)


def _vram(gib: int) -> Callable[[Capabilities], bool]:
    """At least `gib` on the largest single card, and a library that was proven to train on it."""

    def served_by(capabilities: Capabilities) -> bool:
        largest = max((gpu.vram_total for gpu in capabilities.gpus), default=0)
        proven = not capabilities.gpu_libraries or "" in capabilities.gpu_libraries.values()
        return proven and largest + SLACK >= gib * GIB

    return served_by


TIERS: tuple[Tier, ...] = (
    Tier("priority", "any worker; looked at first", _any),
    Tier("llm", "Ollama answers", _language_model),
    Tier("gpu.vram24", "a GPU with 24 GB", _vram(24)),
    Tier("gpu.vram12", "a GPU with 12 GB", _vram(12)),
    Tier("gpu.vram8", "a GPU with 8 GB", _vram(8)),
    Tier("gpu.vram6", "a GPU with 6 GB", _vram(6)),
    Tier("gpu", "a GPU with 4 GB", _vram(4)),
    Tier("cpu", "any worker", _any),
)
QUEUES: tuple[str, ...] = tuple(tier.queue for tier in TIERS)

# Invitations to help a study wait apart from jobs, so that a worker takes one only when no job waits.
HELP_QUEUE = "help"


def queues_for(capabilities: Capabilities) -> tuple[str, ...]:
    """The queues that this machine serves, in the order served."""
    return tuple(tier.queue for tier in TIERS if tier.served_by(capabilities))


def may_help(queues: tuple[str, ...]) -> bool:
    """Whether a worker of these queues helps studies: one for language models alone does not."""
    return any(name != "llm" for name in queues)
