"""Files of rows, predicted as jobs."""

from __future__ import annotations

import time
from pathlib import Path

from flowml.storage.errors import NotReady
from flowml.storage.records import ENDED, DriftSummary
from flowml.ui.api.bodies.batch import BatchAnswer
from flowml.ui.remote.wire import Wire, quoted


class BatchesPart(Wire):
    def predict_file(self, model: str, path: Path | str, format: str = "csv", table: str = "") -> BatchAnswer:
        """Start a job that predicts all rows of a file of any format and size; `answers` waits for it."""
        path, fields = Path(path), {"format": format, "table": table}
        with path.open("rb") as file:
            form = {"files": {"file": (path.name, file)}, "data": fields}
            return self._one(BatchAnswer, "POST", f"results/model/{quoted(model)}/batch", **form)

    def predict_dataset(self, model: str, dataset_id: str, format: str = "csv") -> BatchAnswer:
        """The same for the rows of a dataset."""
        asked = {"dataset_id": dataset_id, "format": format}
        return self._one(BatchAnswer, "POST", f"results/model/{quoted(model)}/batch", json=asked)

    def compare_file(self, model: str, path: Path | str, table: str = "") -> DriftSummary:
        """How the rows of a file differ from those that the model was trained on; none is predicted."""
        path = Path(path)
        with path.open("rb") as file:
            form = {"files": {"file": (path.name, file)}, "data": {"table": table}}
            return self._one(DriftSummary, "POST", f"results/model/{quoted(model)}/drift", **form)

    def compare_dataset(self, model: str, dataset_id: str) -> DriftSummary:
        """The same for the rows of a dataset."""
        asked = {"dataset_id": dataset_id}
        return self._one(DriftSummary, "POST", f"results/model/{quoted(model)}/drift", json=asked)

    def batches(self, model_id: str = "") -> list[BatchAnswer]:
        """Newest first, of one model or of all."""
        params = {"model_id": model_id} if model_id else None
        return self._one(list[BatchAnswer], "GET", "results/batch", params=params)

    def batch(self, job_id: str) -> BatchAnswer:
        return self._one(BatchAnswer, "GET", f"results/batch/{quoted(job_id)}")

    def answers(
        self, job_id: str, to: Path | str, timeout_s: float | None = None, poll_s: float = 0.5
    ) -> BatchAnswer:
        """Wait for a prediction job and write its answers to `to`. Raises what kept it from them."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while (batch := self.batch(job_id)).status not in ENDED:
            if deadline is not None and time.monotonic() > deadline:
                raise NotReady(f"Job {job_id} is still {batch.status} after {timeout_s:g} s.", "Wait longer.")
            time.sleep(poll_s)
        self._save(f"results/batch/{quoted(job_id)}/download", to)
        return batch
