"""How well findings agree with the defects that were planted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flowml.storage.check import check
from flowml.storage.schema import infer
from tests.storage.check.planted import ANYWHERE, SAME, Draft, table


@dataclass
class Tally:
    """Of one kind of defect: those found, missed, and told where there was none."""

    hits: int = 0
    misses: int = 0
    false: int = 0

    @property
    def recall(self) -> float:
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else 1.0

    @property
    def precision(self) -> float:
        return self.hits / (self.hits + self.false) if self.hits + self.false else 1.0


@dataclass(frozen=True)
class Slip:
    seed: int
    what: str  # missed or false
    kind: str
    column: str


def measure(seeds: Iterable[int], folder: Path) -> tuple[dict[str, Tally], list[Slip]]:
    """The tally of each kind over the tables of some seeds, and every slip."""
    tallies: dict[str, Tally] = {}
    slips: list[Slip] = []
    for seed in seeds:
        draft = table(seed)
        found, truth = _told(draft, folder), {(_one(kind), column) for kind, column in draft.truth}
        for kind, column in found | truth:
            tally = tallies.setdefault(kind, Tally())
            if (kind, column) in found & truth:
                tally.hits += 1
            elif (kind, column) in truth:
                tally.misses += 1
                slips.append(Slip(seed, "missed", kind, column))
            else:
                tally.false += 1
                slips.append(Slip(seed, "false", kind, column))
    return tallies, slips


def _told(draft: Draft, folder: Path) -> set[tuple[str, str]]:
    frame, path = draft.frame(), folder / "table.parquet"
    frame.write_parquet(path)
    findings = check(path, infer(frame), draft.spec())
    told = {(_one(finding.kind), finding.column or ANYWHERE) for finding in findings}
    return {
        (kind, draft.twins.get(column, column) if kind == "duplicate_column" else column)
        for kind, column in told
    }


def _one(kind: str) -> str:
    return SAME.get(kind, kind)
