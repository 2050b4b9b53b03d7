"""What to try: one algorithm with params, and how much it may cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowml.storage.records import Json, Record


@dataclass(frozen=True)
class Candidate(Record):
    number: int
    algorithm: str
    params: Json = field(default_factory=dict)
    stage: str = "portfolio"  # baseline, portfolio, search
    seed: int = 0
    limit_s: float | None = None  # for all folds; those that boost or grow trees end smaller, others fail
    bar: tuple[float, ...] = ()  # fold scores of the best trial so far: far below them, it is pruned
    rounds: tuple[int, ...] = ()  # for each fold, to fit again exactly what was fitted
    folds: int | None = None  # only so many, of a trial that once ended early; None: all
    rows: int | None = None  # that each fold learns from: a sample; None: all of them
