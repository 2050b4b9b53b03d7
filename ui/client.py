"""A running studio from Python, over its REST API.

    with Studio("http://127.0.0.1:8501") as studio:
        dataset = studio.upload("churn.csv")
        job = studio.wait(studio.train(dataset.id, "churn", time_budget=1))
        print(studio.leaderboard(job.id).models[0].name)
        print(studio.predict(job.champion, {"tenure": 12}).prediction)

What goes wrong there is raised here as the same error of `flowml.storage.errors`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from flowml.storage.errors import FlowMLError, NotReady, error_of
from flowml.storage.records import ENDED, Event, EventKind
from flowml.ui.api.bodies.datasets import ColumnStats, DatasetAnswer, DatasetSummary, PreviewAnswer
from flowml.ui.api.bodies.operate import Health, WorkerAnswer
from flowml.ui.api.bodies.results import Leaderboard, ModelAnswer, Prediction
from flowml.ui.api.bodies.training import JobAnswer, TrainingStarted
from flowml.ui.api.bodies.uploads import PART_BYTES
from flowml.ui.sending import send

CHUNK_BYTES = 2**20
DATASETS = TypeAdapter(list[DatasetSummary])
STATS = TypeAdapter(list[ColumnStats])
JOBS = TypeAdapter(list[JobAnswer])
MODELS = TypeAdapter(list[ModelAnswer])
WORKERS = TypeAdapter(list[WorkerAnswer])


class Studio:
    """One studio, by its address. `token` is sent as a bearer token where the studio asks for one."""

    def __init__(
        self, url: str = "http://127.0.0.1:8501", token: str | None = None, timeout_s: float = 60.0
    ) -> None:
        headers = {"X-FlowML": "1"} | ({"Authorization": f"Bearer {token}"} if token else {})
        # No proxy from the environment: tables go to the named studio and nowhere else.
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout_s, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # --- datasets -----------------------------------------------------------------------------------------

    def upload(self, path: Path | str, name: str = "", table: str = "") -> DatasetAnswer:
        """Send a file of any format that the studio reads; the same name again makes a new version.

        `table` names a sheet, a table of a database or a member of an archive; else the first is read.
        """
        path = Path(path)
        if path.stat().st_size > PART_BYTES:
            return send(self._ask, path, name, table)
        with path.open("rb") as file:
            answer = self._ask(
                "PUT",
                f"datasets/{_quoted(path.name)}",
                params={key: value for key, value in (("title", name), ("table", table)) if value},
                content=iter(lambda: file.read(CHUNK_BYTES), b""),
                headers={"Content-Length": str(path.stat().st_size)},
            )
        return DatasetAnswer.model_validate_json(answer.content)

    def datasets(self) -> list[DatasetSummary]:
        return DATASETS.validate_json(self._ask("GET", "datasets").content)

    def dataset(self, dataset_id: str) -> DatasetAnswer:
        return DatasetAnswer.model_validate_json(self._ask("GET", f"datasets/{_quoted(dataset_id)}").content)

    def preview(self, dataset_id: str, rows: int = 20) -> PreviewAnswer:
        answer = self._ask("GET", f"datasets/{_quoted(dataset_id)}/preview", params={"rows": rows})
        return PreviewAnswer.model_validate_json(answer.content)

    def stats(self, dataset_id: str) -> list[ColumnStats]:
        return STATS.validate_json(self._ask("GET", f"datasets/{_quoted(dataset_id)}/stats").content)

    def delete_dataset(self, dataset_id: str) -> None:
        self._ask("DELETE", f"datasets/{_quoted(dataset_id)}")

    # --- training -----------------------------------------------------------------------------------------

    def train(self, dataset_id: str, target: str, **wishes: Any) -> str:
        """Start a job and return its id. `wishes` are further fields of `TrainingAsked`,
        as `time_budget` (minutes), `metric` or `model_types`."""
        asked = {"dataset_id": dataset_id, "target_column": target, **wishes}
        answer = self._ask("POST", "training/start", json=asked)
        return TrainingStarted.model_validate_json(answer.content).job_id

    def jobs(self, limit: int = 100) -> list[JobAnswer]:
        return JOBS.validate_json(self._ask("GET", "training", params={"limit": limit}).content)

    def job(self, job_id: str) -> JobAnswer:
        return JobAnswer.model_validate_json(self._ask("GET", f"training/{_quoted(job_id)}").content)

    def cancel(self, job_id: str) -> None:
        self._ask("POST", f"training/{_quoted(job_id)}/cancel")

    def stop(self, job_id: str) -> None:
        """End the search and keep the best."""
        self._ask("POST", f"training/{_quoted(job_id)}/stop")

    def wait(self, job_id: str, timeout_s: float | None = None, poll_s: float = 0.5) -> JobAnswer:
        """The job once it has ended, however it ended; NotReady where it has not in time."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while (job := self.job(job_id)).status not in ENDED:
            if deadline is not None and time.monotonic() > deadline:
                raise NotReady(f"Job {job_id} is still {job.status} after {timeout_s:g} s.", "Wait longer.")
            time.sleep(poll_s)
        return job

    def events(self, job_id: str, after: str = "0") -> Iterator[Event]:
        """The job's progress as it happens, until the job has ended."""
        path, params = f"api/training/{_quoted(job_id)}/events", {"after": after}
        with self._http.stream("GET", path, params=params, timeout=httpx.Timeout(60.0)) as answer:
            if answer.is_error:
                answer.read()
                raise _error(answer)
            block: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, text = line.partition(": ")
                if line:
                    block[name] = text
                    continue
                event, block = _event(block), {}
                if event is not None:
                    yield event

    # --- results ------------------------------------------------------------------------------------------

    def leaderboard(self, job_id: str) -> Leaderboard:
        answer = self._ask("GET", f"results/job/{_quoted(job_id)}/leaderboard")
        return Leaderboard.model_validate_json(answer.content)

    def models(self, job_id: str) -> list[ModelAnswer]:
        return MODELS.validate_json(self._ask("GET", f"results/job/{_quoted(job_id)}/models").content)

    def model(self, model_id: str) -> ModelAnswer:
        answer = self._ask("GET", f"results/model/{_quoted(model_id)}")
        return ModelAnswer.model_validate_json(answer.content)

    def predict(self, model_id: str, rows: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Prediction:
        """One row as a mapping, or many as a list of them."""
        data = dict(rows) if isinstance(rows, Mapping) else [dict(row) for row in rows]
        answer = self._ask("POST", f"results/model/{_quoted(model_id)}/predict", json={"data": data})
        return Prediction.model_validate_json(answer.content)

    def download(
        self, model_id: str, to: Path | str, format: str = "onnx", variant: str = "champion", ml: int = 5
    ) -> Path:
        """Write the model's file, its package, or what is written about it, to `to`.

        `variant` may be compact; `ml` may be 3, for older runtimes.
        """
        path = f"results/model/{_quoted(model_id)}/download"
        answer = self._ask("GET", path, params={"format": format, "variant": variant, "ml": ml})
        Path(to).write_bytes(answer.content)
        return Path(to)

    # --- the whole ----------------------------------------------------------------------------------------

    def workers(self) -> list[WorkerAnswer]:
        return WORKERS.validate_json(self._ask("GET", "workers").content)

    def health(self) -> Health:
        return Health.model_validate_json(self._ask("GET", "health").content)

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, f"api/{path}", **content)
        except httpx.TransportError as error:
            raise NotReady(
                f"No studio answers at {self._http.base_url}: {error}.", "Start one with `flowml up`."
            ) from error
        if answer.is_error:
            raise _error(answer)
        return answer


def _quoted(part: str) -> str:
    return quote(part, safe="")


def _event(block: dict[str, str]) -> Event | None:
    """The event of a block of lines; None for a keep-alive, the end, and kinds of a newer studio."""
    if block.get("event", "") not in set(EventKind):
        return None
    fields = json.loads(block["data"])
    return Event(EventKind(block["event"]), fields.pop("at"), fields, block["id"])


# Codes of the API alone, and what they are in the tree.
CODES = {"request": "input", "no_route": "not_found", "no_method": "input", "gone": "input"}


def _error(answer: httpx.Response) -> FlowMLError:
    """The error that the problem document tells of."""
    try:
        told = answer.json()
        code, detail, advice = told["code"], told["detail"], told.get("advice", "")
    except (ValueError, KeyError, TypeError):
        return FlowMLError(f"{answer.url} answered {answer.status_code}.", "Is it a FlowML studio?")
    return error_of(CODES.get(code, code), detail, advice)
