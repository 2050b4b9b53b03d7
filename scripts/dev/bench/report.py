"""The figures of a run as JSON and as a table that people read."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flowml.automl.metrics import METRICS

SAME = 1e-3  # scores closer than that, relatively, are a tie


@dataclass(frozen=True)
class Row:
    """`scores` by system; None where it failed."""

    table: str
    task: str
    metric: str
    rows: int  # in all
    columns: int
    scores: dict[str, float | None]
    rival_s: dict[str, float] = field(default_factory=dict)
    wall_s: float | None = None
    used_s: float | None = None
    trials: int | None = None
    champion: str = ""
    peak_mb: float | None = None
    trouble: str = ""

    @property
    def gain(self) -> float | None:
        """How much better FlowML is than the best rival, as a share of that one's score."""
        loss = METRICS[self.metric].loss
        rivals = [loss(s) for name, s in self.scores.items() if name != "flowml" and s is not None]
        ours = self.scores.get("flowml")
        if ours is None or not rivals:
            return None
        best = min(rivals)
        return (best - loss(ours)) / max(abs(best), 1e-12)


@dataclass(frozen=True)
class Report:
    about: dict[str, Any]  # versions, machine, date, what was asked
    rows: tuple[Row, ...]

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        rows = [{**asdict(row), "gain": row.gain} for row in self.rows]
        (folder / "benchmark.json").write_text(json.dumps({**self.about, "rows": rows}, indent=1) + "\n")
        (folder / "benchmark.md").write_text(self.markdown())

    def markdown(self) -> str:
        systems = list(self.rows[0].scores) if self.rows else []
        head = ["table", "rows", "columns", "metric", *systems, "gain", "wall s", "used s", "trials"]
        head += ["champion", "peak MB"]
        lines = [head, ["---"] + ["---:"] * (len(head) - 1), *(_cells(row) for row in self.rows)]
        asked = ", ".join(f"{name} {value}" for name, value in self.about.items())
        parts = [
            "# Benchmark",
            f"{asked}.",
            "\n".join(f"| {' | '.join(line)} |" for line in lines),
            "`gain`: how much better FlowML scores than the better of the others, as a share of that score.",
            self.summary(),
            *(f"{row.table}: {row.trouble}" for row in self.rows if row.trouble),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def summary(self) -> str:
        """Mean ranks, and how often FlowML was ahead."""
        ranks = [_ranks(row) for row in self.rows]
        means = {name: sum(rank[name] for rank in ranks) / len(ranks) for name in (ranks[0] if ranks else {})}
        gains = [row.gain for row in self.rows if row.gain is not None]
        better, worse = sum(gain > SAME for gain in gains), sum(gain < -SAME for gain in gains)
        told = ", ".join(
            f"{name} {mean:.2f}" for name, mean in sorted(means.items(), key=lambda each: each[1])
        )
        return f"Mean rank: {told}. Better {better}, level {len(gains) - better - worse}, worse {worse}."


def _ranks(row: Row) -> dict[str, float]:
    """1 is best; equal scores share their places; who failed comes last."""
    loss = METRICS[row.metric].loss
    losses = {name: math.inf if score is None else loss(score) for name, score in row.scores.items()}
    return {
        name: 1
        + sum(each < own for each in losses.values())
        + (sum(e == own for e in losses.values()) - 1) / 2
        for name, own in losses.items()
    }


def _cells(row: Row) -> list[str]:
    best = min(_ranks(row).values())
    scores = [
        "failed" if score is None else f"**{score:.5g}**" if _ranks(row)[name] == best else f"{score:.5g}"
        for name, score in row.scores.items()
    ]
    gain = "" if row.gain is None else f"{row.gain:+.1%}"
    figures = [_number(row.wall_s, ".1f"), _number(row.used_s, ".1f"), _number(row.trials, "d")]
    known = [row.table, f"{row.rows:,}", str(row.columns), row.metric]
    return [*known, *scores, gain, *figures, row.champion, _number(row.peak_mb, ",.0f")]


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
