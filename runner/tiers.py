"""TIERS: the queues and what a machine needs to serve them, in the order in which a worker looks at them.

A machine with a GPU also takes CPU work, after the work that only it can do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flowml.storage.records import Capabilities, Worker

GIB = 2**30
MEMORY_SHARE = 0.85  # of the memory of a machine that trials may use, unless a limit is given
SLACK = GIB // 2  # a "24 GB" card reports a little less than 24 GiB


@dataclass(frozen=True)
class Tier:
    queue: str
    needs: str  # in words, for the screen and the command line
    served_by: Callable[[Capabilities], bool]
    vram: int = 0  # GB of the largest card; 0: no GPU is needed


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


def _gpu(queue: str, gb: int) -> Tier:
    return Tier(queue, f"a GPU with {gb} GB", _vram(gb), gb)


TIERS: tuple[Tier, ...] = (
    Tier("priority", "any worker; looked at first", _any),
    Tier("llm", "Ollama answers", _language_model),
    _gpu("gpu.vram24", 24),
    _gpu("gpu.vram12", 12),
    _gpu("gpu.vram8", 8),
    _gpu("gpu.vram6", 6),
    _gpu("gpu", 4),
    Tier("cpu", "any worker", _any),
)
QUEUES: tuple[str, ...] = tuple(tier.queue for tier in TIERS)

# Invitations to help a study wait apart from jobs, so that a worker takes one only when no job waits.
HELP_QUEUE = "help"


def lowest(vram: int | None) -> str:
    """The lowest tier that has so many bytes on a GPU, or ''. None: no GPU is needed."""
    if vram is None:
        return "cpu"
    return next((tier.queue for tier in reversed(TIERS) if tier.vram * GIB >= max(1, vram)), "")


def why_unserved(queue: str, memory: int | None, workers: Sequence[Worker]) -> str:
    """What none of these workers has for a job, in words; '' where one has it all."""
    serving = [worker for worker in workers if queue in worker.queues]
    if not serving:
        return next((tier.needs for tier in TIERS if tier.queue == queue), f"a worker of the queue {queue}")
    if all(memory_for_trials(worker) < (memory or 0) for worker in serving):
        return f"a worker with {(memory or 0) / GIB:.1f} GiB for trials"
    return ""


def queues_for(capabilities: Capabilities) -> tuple[str, ...]:
    """The queues that this machine serves, in the order served."""
    return tuple(tier.queue for tier in TIERS if tier.served_by(capabilities))


def lacking(queues: Sequence[str], capabilities: Capabilities) -> tuple[Tier, ...]:
    """Those of these queues that this machine does not support."""
    return tuple(tier for tier in TIERS if tier.queue in queues and not tier.served_by(capabilities))


def memory_for_trials(worker: Worker) -> int:
    """Bytes that trials on it may use together at most."""
    return worker.memory_limit or int(worker.capabilities.ram_total * MEMORY_SHARE)


def may_help(queues: tuple[str, ...]) -> bool:
    """Whether a worker of these queues helps studies: one for language models alone does not."""
    return any(name != "llm" for name in queues)
