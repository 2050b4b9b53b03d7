"""One attempt at a training job: from its table to its end, whatever happens on the way."""

from __future__ import annotations

import dataclasses
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis

from flowml.runner.control import ControlWatch
from flowml.runner.ending import End, receipt, to_an_end
from flowml.runner.home import place_of
from flowml.runner.inviting import Invitations
from flowml.runner.lane import Lane
from flowml.runner.leading import Leading
from flowml.runner.listener import LaneOutcome, Listener
from flowml.runner.relay import Relay
from flowml.runner.study import Study
from flowml.runner.transfer import Transfer
from flowml.runner.workplace import Workplace
from flowml.storage.records import Control, Dataset, Job, JobState, Json, LeaderboardRow, Model


@dataclass(frozen=True)
class Attempt:
    place: Workplace
    job: Job
    dataset: Dataset
    work: Path
    redis: Redis  # for what the user wishes meanwhile
    listener: Listener
    transfer: Transfer
    number: int = 1  # of this attempt
    started: float = field(default_factory=time.time)

    def run(self) -> End:
        """Never raises for what goes wrong in the job: that is a failed job with its cause."""
        return to_an_end(self.job, self._run, self._without_model)

    def _run(self) -> End:
        with closing(ControlWatch(self.redis, self.job.id)) as wish:
            if wish.first() is Control.CANCEL:
                return self._without_model(JobState.CANCELLED)
            lane = Lane(
                self.transfer.fetch(self.dataset),
                self.dataset.schema,
                self.job.spec,
                self.work,
                self.listener,
                wish,
                slots=self.place.slots,
                cores=self.place.cores,
                worker=self.place.worker,
                memory_limit=self.place.memory_limit,
                started=self.started,
                helpers=self._helpers(),
                checked=self.job.findings or None,
                capabilities=self.place.capabilities,
            )
            return self._end(lane.run())

    def _helpers(self) -> Leading:
        settings = self.place.settings
        relay = Relay(place_of(settings.home), self.work, self.transfer)
        invitations = Invitations(self.job, self.dataset, self.place.worker)
        return Leading(
            self.redis, Study(self.job.id), relay, invitations, self.work, self.number, settings.lease
        )

    def _end(self, outcome: LaneOutcome) -> End:
        model = self._model(outcome, outcome.champion) if outcome.champion else None
        return End(
            state=outcome.state,
            receipt=outcome.receipt,
            cause=f"{outcome.cause} {outcome.advice}".strip(),
            model=model,
            leaderboard=tuple(_with_model(row, model) for row in outcome.leaderboard),
        )

    def _model(self, outcome: LaneOutcome, champion: Json) -> Model:
        """Its id follows from that of the job, so that to end a second time makes no second model."""
        known = outcome.summary.to_dict() if outcome.summary else {}
        ours = {
            "id": f"model-{self.job.id.partition('-')[2]}",
            "job_id": self.job.id,
            "created_at": time.time(),
            "onnx": self.transfer.deliver(self.work / "champion" / "model.onnx").to_dict(),
            "champion": True,
        }
        if champion.get("compact"):
            onnx = self.transfer.deliver(self.work / "champion" / "model.compact.onnx").to_dict()
            ours["compact"] = {**champion["compact"], "onnx": onnx}
        return Model.from_dict({**known, **champion, **ours})

    def _without_model(self, state: JobState, cause: str = "") -> End:
        return End(state, receipt(self.started, self.job.spec.budget_s), cause)


def _with_model(row: LeaderboardRow, model: Model | None) -> LeaderboardRow:
    return dataclasses.replace(row, model_id=model.id) if row.champion and model else row
