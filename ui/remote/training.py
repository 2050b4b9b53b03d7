"""Jobs of a studio: started, watched, ended."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator
from typing import Any

from flowml.storage.errors import NotReady
from flowml.storage.records import ENDED, Event, EventKind, JobState, Receipt, TrialRecord
from flowml.ui.api.bodies.training import JobAnswer, TrainingStarted
from flowml.ui.remote import progress
from flowml.ui.remote.wire import Wire, keyed, quoted


class TrainingPart(Wire):
    def train(self, dataset_id: str, target: str, **wishes: Any) -> str:
        """Start a job and return its id. `wishes` are further fields of `TrainingAsked`,
        as `time_budget` (minutes), `metric` or `model_types`."""
        asked = {"dataset_id": dataset_id, "target_column": target, **wishes}
        return self._one(TrainingStarted, "POST", "training/start", json=asked, headers=keyed()).job_id

    def clone(self, job_id: str, **changes: Any) -> str:
        """Start the same again with other wishes, and return the new id."""
        path = f"training/{quoted(job_id)}/clone"
        return self._one(TrainingStarted, "POST", path, json=changes, headers=keyed()).job_id

    def jobs(
        self,
        limit: int | None = 100,
        status: Collection[JobState | str] = (),
        kind: str = "",
        dataset: str = "",
    ) -> list[JobAnswer]:
        """Newest first; `limit` None: all. `dataset`: id, name or `name:version`."""
        wanted = {"status": [str(each) for each in status] or None, "kind": kind, "dataset_id": dataset}
        return self._many(JobAnswer, "training", wanted, limit)

    def job(self, job_id: str) -> JobAnswer:
        return self._one(JobAnswer, "GET", f"training/{quoted(job_id)}")

    def trials(self, job_id: str, limit: int | None = None) -> list[TrialRecord]:
        """In the order they were proposed."""
        return self._many(TrialRecord, f"training/{quoted(job_id)}/trials", limit=limit)

    def receipt(self, job_id: str) -> Receipt:
        """What was asked of the clock and what was used. Raises Conflict before the end."""
        return self._one(Receipt, "GET", f"training/{quoted(job_id)}/receipt")

    def cancel(self, job_id: str) -> None:
        self._ask("POST", f"training/{quoted(job_id)}/cancel")

    def stop(self, job_id: str) -> None:
        """End the search and keep the best."""
        self._ask("POST", f"training/{quoted(job_id)}/stop")

    def pause(self, job_id: str) -> None:
        """Begin no further trial until it is resumed."""
        self._ask("POST", f"training/{quoted(job_id)}/pause")

    def resume(self, job_id: str) -> None:
        self._ask("POST", f"training/{quoted(job_id)}/resume")

    def move_job(self, job_id: str, project: str) -> JobAnswer:
        """Put it with its models into another project; empty: shared with all."""
        return self._one(JobAnswer, "PUT", f"training/{quoted(job_id)}/project", json={"project": project})

    def delete_job(self, job_id: str) -> None:
        """Forget an ended job with its trials and models."""
        self._ask("DELETE", f"training/{quoted(job_id)}")

    def wait(
        self, job_id: str, timeout_s: float | None = None, poll_s: float = 0.5, show: bool | None = None
    ) -> JobAnswer:
        """The job once it has ended, however it ended; NotReady where it has not in time.

        `show` draws a progress bar, by default in terminals and notebooks.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with progress.training(show) as told:
            while (job := self.job(job_id)).status not in ENDED:
                told(job)
                if deadline is not None and time.monotonic() > deadline:
                    raise NotReady(
                        f"Job {job_id} is still {job.status} after {timeout_s:g} s.", "Wait longer."
                    )
                time.sleep(poll_s)
            told(job)
        return job

    def events(self, job_id: str, after: str = "0") -> Iterator[Event]:
        """The job's progress as it happens, until the job has ended."""
        for block in self._events("GET", f"training/{quoted(job_id)}/events", params={"after": after}):
            if block.get("event") in set(EventKind):  # else the end, or of a newer studio
                fields = json.loads(block["data"])
                yield Event(EventKind(block["event"]), fields.pop("at"), fields, block["id"])
