"""ONNX files that others made, let in by an administrator for the playground."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowml.storage.records.models import Artifact
from flowml.storage.records.record import Record


@dataclass(frozen=True)
class Port(Record):
    """An input or an output of a graph. Of a shape, None is a length that is free."""

    name: str
    type: str  # float, double, int64, string, bool …, or map for a mapping of classes to probabilities
    shape: tuple[int | None, ...] = ()

    @property
    def width(self) -> int | None:
        """Values of one row; None where that is free."""
        width = 1
        for length in self.shape[1:]:
            if length is None:
                return None
            width *= length
        return width


@dataclass(frozen=True)
class ForeignGraph(Record):
    """What a look into an ONNX file found."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operators: dict[str, int]  # how often each is in the graph
    opsets: dict[str, int]  # version of each domain
    ir: int
    producer: str = ""


@dataclass(frozen=True)
class ForeignModel(Record):
    id: str
    name: str
    onnx: Artifact
    created_at: float
    graph: ForeignGraph
    owner: str = ""  # name of the administrator who let it in
    note: str = ""


@dataclass(frozen=True)
class ForeignAnswer(Record):
    """For each output of the graph, one value for each row that was asked."""

    outputs: dict[str, list[object]] = field(default_factory=dict)
    rows: int = 0
    seconds: float = 0.0  # in its process, with loading the file
