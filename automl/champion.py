"""The final model of a study in words and numbers, and its files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from flowml.automl.onnx import metadata
from flowml.storage.records import Compact, Importance, Json, LeaderboardRow, Phase, Recipe, Record, Task

MODEL = "model.onnx"


@dataclass(frozen=True)
class Champion(Record):
    """`trial` is None for an ensemble, whose members and weights are named."""

    name: str
    algorithm: str
    task: Task
    metric: str
    direction: str
    score: float
    score_std: float
    trial: int | None
    latency_ms: float | None
    rows_per_second: float | None
    size_bytes: int
    members: tuple[str, ...]
    weights: tuple[float, ...]
    contract: Json
    parity: Json
    card: Json
    folds: int = 0  # fold models of each member that its file holds; 0: not known
    threshold: float | None = None  # from which a binary answer is the second class; None: the likelier one
    recipe: Recipe | None = None
    importances: tuple[Importance, ...] = ()
    diagnostics: Json = field(default_factory=dict)
    leaderboard: tuple[LeaderboardRow, ...] = ()
    cut: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    compact: Compact | None = None


def write(champion: Champion, folder: Path, content: bytes) -> None:
    """The model's file says all about itself that its card says."""
    about = {"card": champion.card, "parity": champion.parity, "score": champion.score}
    draft = folder / f".{MODEL}"
    draft.write_bytes(metadata.add(content, about))
    draft.replace(folder / MODEL)
    (folder / "champion.json").write_text(json.dumps(champion.to_dict()))
