"""What a trial needs of the lane that evaluates it: a device, and memory where it is much.

Both are in the name of the stream that its order goes to, its kind: `cpu`, `gpu.xgboost`, `cpu.6g`. A lane
takes the kinds that it serves. To let an algorithm train on GPUs: `gpu` in its row, and the name of the proof
that its library does so in PROOFS.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowml.runner.plan import CELL_BYTES, CHILD_BYTES
from flowml.storage.records import Capabilities, Record

if TYPE_CHECKING:
    from flowml.automl.candidate import Candidate
    from flowml.automl.shape import Shape

GIB = 2**30
CPU, GPU = "cpu", "gpu"
SIZES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512)  # GiB; what fits into one has no size
PROOFS = {"xgboost": "xgboost", "lightgbm": "lightgbm-opencl"}  # algorithm -> its proof on a GPU


@dataclass(frozen=True)
class Serves(Record):
    """What a lane can evaluate. `memory` is for one trial; `cards` train one trial each."""

    memory: int
    gpu: tuple[str, ...] = ()  # algorithms that it trains on a GPU
    cards: int = 0
    vram: int = 0  # of the smallest card

    def kind(self, kind: str) -> bool:
        room = self.memory
        if on_gpu(kind):
            if kind.split(".")[1] not in self.gpu or not self.cards:
                return False
            room = min(room, self.vram)
        return not _size(kind) or _size(kind) * GIB <= room

    def of(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Those of some kinds that it serves, first those that the fewest lanes serve."""
        return tuple(sorted(filter(self.kind, kinds), key=lambda kind: (not on_gpu(kind), -_size(kind))))


class Cards:
    """Which GPU of a lane trains which trial."""

    def __init__(self, count: int) -> None:
        self._idle = list(range(count))
        self._used: dict[int, int] = {}  # number of a trial -> card

    @property
    def free(self) -> int:
        return len(self._idle)

    def give(self, number: int) -> str:
        """The device for a trial."""
        self._used[number] = card = self._idle.pop(0)
        return f"{GPU}:{card}" if card else GPU

    def back(self, number: int) -> None:
        """To give back what was not taken is no error."""
        if number in self._used:
            self._idle = sorted([*self._idle, self._used.pop(number)])


def serves(memory: int, capabilities: Capabilities | None) -> Serves:
    """A lane with so much memory on a machine; None: nothing is known of its GPUs."""
    if capabilities is None or not capabilities.gpus:
        return Serves(memory)
    proven = tuple(key for key, proof in PROOFS.items() if capabilities.gpu_libraries.get(proof) == "")
    cards = [gpu.vram_total for gpu in capabilities.gpus]
    return Serves(memory, proven, len(cards) if proven else 0, min(cards))


def on_gpu(kind: str) -> bool:
    return kind.startswith(f"{GPU}.")


def as_cpu(kind: str) -> str:
    """The kind that the same trial is of without a GPU."""
    return f"{CPU}.{_size(kind)}g" if _size(kind) else CPU


def kind_of(device: str, memory: float) -> str:
    """`device` is CPU, or GPU with the name of an algorithm."""
    size = next((size for size in SIZES if memory <= size * GIB), SIZES[-1])
    return f"{device}.{size}g" if memory > GIB else device


def memory_of(candidate: Candidate, shape: Shape, cells: int) -> float:
    """Bytes of a child that evaluates it: its libraries, its table, and what one fit adds."""
    from flowml.automl.algorithms import ALGORITHMS

    fit = ALGORITHMS[candidate.algorithm].cost(shape.sampled(candidate.rows), candidate.params).memory
    return CHILD_BYTES + cells * CELL_BYTES + fit


def may_use_gpu(algorithm: str) -> bool:
    from flowml.automl.algorithms import ALGORITHMS

    return algorithm in PROOFS and bool(ALGORITHMS[algorithm].gpu)


def _size(kind: str) -> int:
    last = kind.rpartition(".")[2]
    return int(last[:-1]) if last[:-1].isdigit() else 0
