"""The lanes that help a study, as they were last heard, and what they can take together.

A lead asks that many times a second, and they change once: what they have is added up once as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from flowml.runner.needs import on_gpu
from flowml.runner.study import LaneRecord


@dataclass(frozen=True)
class Lanes:
    heard: Mapping[str, tuple[LaneRecord, float]] = field(default_factory=dict)  # by name, and when
    _places: dict[str, int] = field(default_factory=dict, compare=False)

    @cached_property
    def gpu(self) -> frozenset[str]:
        """The algorithms that some of them train on a GPU."""
        return frozenset(algorithm for lane, _ in self.heard.values() for algorithm in lane.serves.gpu)

    def places(self, kind: str) -> int:
        """How many trials of a kind they take side by side; those that still prepare take none."""
        if kind not in self._places:
            lanes = [lane for lane, _ in self.heard.values() if lane.slots and lane.serves.kind(kind)]
            self._places[kind] = sum(lane.serves.cards if on_gpu(kind) else lane.slots for lane in lanes)
        return self._places[kind]

    def serve(self, kind: str) -> bool:
        """Whether one of them does, or will when it is prepared."""
        return any(lane.serves.kind(kind) for lane, _ in self.heard.values())

    def hear(self, found: Mapping[str, LaneRecord], now: float) -> Self:
        """Those that are `found` now. One whose record has not changed was heard when it did."""
        heard = {}
        for name, lane in found.items():
            known, at = self.heard.get(name, (None, now))
            heard[name] = (lane, at if known is not None and known.beat == lane.beat else now)
        return type(self)(heard)

    def without(self, *names: str) -> Self:
        return type(self)({name: heard for name, heard in self.heard.items() if name not in names})

    def silent(self, since: float) -> tuple[str, ...]:
        return tuple(name for name, (_, at) in self.heard.items() if at < since)
