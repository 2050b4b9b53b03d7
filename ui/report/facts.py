"""All that a report is about, asked once."""

from __future__ import annotations

from dataclasses import dataclass

from flowml.runner.client import Client
from flowml.storage.errors import NotFound
from flowml.storage.records import (
    Dataset,
    Job,
    Json,
    LeaderboardRow,
    Model,
    RegisteredModel,
    TrialRecord,
)


@dataclass(frozen=True)
class Facts:
    """`dataset` is None where it was deleted or may not be seen by who asks."""

    model: Model
    job: Job
    board: tuple[LeaderboardRow, ...]
    trials: tuple[TrialRecord, ...]
    dataset: Dataset | None = None
    registered: tuple[RegisteredModel, ...] = ()

    @property
    def diagnostics(self) -> Json:
        return self.model.diagnostics

    @property
    def target(self) -> str:
        return str(self.model.contract.get("target", self.job.spec.target))

    @property
    def training(self) -> Json:
        """What the card tells of it, by its own words."""
        told: Json = self.model.card.get("training", {})
        return told

    @property
    def rows(self) -> int | None:
        """That were learned from."""
        known = self.training.get("rows") or (self.dataset.rows if self.dataset else None)
        return int(known) if known else None

    @property
    def champion(self) -> LeaderboardRow | None:
        return next((row for row in self.board if row.champion), None)


def gather(client: Client, model_id: str) -> Facts:
    """Raises NotFound, and NotAllowed for who may not look."""
    model = client.model(model_id)
    job = client.job(model.job_id)
    try:
        dataset: Dataset | None = client.dataset(job.spec.dataset_id)
    except NotFound:
        dataset = None
    known = tuple(each for each in client.registered() if each.model_id == model.id)
    return Facts(model, job, client.leaderboard(job.id), client.trials(job.id), dataset, known)
