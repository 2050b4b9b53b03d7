"""What jobs found, and what their models predict."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from flowml.storage.errors import NotReady
from flowml.storage.records import ENDED
from flowml.ui.api.bodies.registry import RegisteredAnswer, RegisteredName
from flowml.ui.api.bodies.results import (
    Explanations,
    Leaderboard,
    ModelAnswer,
    ModelSummary,
    Prediction,
    VerificationAnswer,
)
from flowml.ui.remote import frames
from flowml.ui.remote.wire import Wire, quoted
from flowml.ui.sending import READING

Row = Mapping[str, Any]
POLL_S = 0.5  # between two questions whether a row was verified


class ResultsPart(Wire):
    """A model is named by its id, or as `name@alias` or `name:version` of the registry."""

    def leaderboard(
        self, job_id: str, sort: str = "rank", order: str = "asc", algorithm: Collection[str] = ()
    ) -> Leaderboard:
        """All that was tried, best first, or sorted and narrowed as asked."""
        params = {"sort": sort, "order": order, "algorithm": list(algorithm), "limit": 1000}
        return self._one(Leaderboard, "GET", f"results/job/{quoted(job_id)}/leaderboard", params=params)

    def models(self, job_id: str) -> list[ModelAnswer]:
        """Those of a job."""
        return self._one(list[ModelAnswer], "GET", f"results/job/{quoted(job_id)}/models")

    def all_models(self, limit: int | None = None) -> list[ModelSummary]:
        """Newest first."""
        return self._many(ModelSummary, "results/models", limit=limit)

    def model(self, model: str) -> ModelAnswer:
        return self._one(ModelAnswer, "GET", f"results/model/{quoted(model)}")

    def explanations(self, model: str) -> Explanations:
        """What matters to the model, and where it is right and wrong."""
        return self._one(Explanations, "GET", f"results/model/{quoted(model)}/explanations")

    @overload
    def predict(self, model: str, rows: Row | Sequence[Row]) -> Prediction: ...
    @overload
    def predict(self, model: str, rows: Any) -> Any: ...
    def predict(self, model: str, rows: Any) -> Any:
        """One row as a mapping, or many as a list of them, give a Prediction.

        A polars or pandas DataFrame gives one of the same kind: prediction, probability_CLASS, warnings.
        """
        if frames.is_frame(rows):
            told = [self._predict(model, content) for content in frames.bodies(rows)]
            pandas = frames.of_pandas(rows)
            return (
                frames.answers(told, pandas)
                if told
                else frames.no_answers(self.model(model).contract, pandas)
            )
        data = dict(rows) if isinstance(rows, Mapping) else [dict(row) for row in rows]
        return self._predict(model, frames.body(data))

    def download(
        self, model: str, to: Path | str, format: str = "onnx", variant: str = "champion", ml: int = 5
    ) -> Path:
        """Write the model's file, package, card or script (`format`) to `to`.

        `variant` may be compact; `ml` may be 3, for older runtimes.
        """
        path = f"results/model/{quoted(model)}/download"
        params = {"format": format, "variant": variant, "ml": ml}
        answer = self._ask("GET", path, params=params, timeout=READING)
        Path(to).write_bytes(answer.content)
        return Path(to)

    def report(self, model: str, to: Path | str) -> Path:
        """Write the report of a model, one HTML file, to `to`."""
        answer = self._ask("GET", f"models/{quoted(model)}/report", timeout=READING)
        Path(to).write_bytes(answer.content)
        return Path(to)

    def script(self, job_id: str, trial: int, to: Path | str) -> Path:
        """Write a row of a leaderboard as a script, or as a notebook where `to` ends in .ipynb."""
        format = "ipynb" if Path(to).suffix.lower() == ".ipynb" else "py"
        path = f"results/job/{quoted(job_id)}/trials/{trial}/script"
        answer = self._ask("GET", path, params={"format": format}, timeout=READING)
        Path(to).write_bytes(answer.content)
        return Path(to)

    def verify(self, job_id: str, trial: int, timeout_s: float = 3600.0) -> VerificationAnswer:
        """Let a worker evaluate a row again, and wait for what comes of it. Raises NotReady."""
        path, until = f"results/job/{quoted(job_id)}", time.monotonic() + timeout_s
        asked = self._one(VerificationAnswer, "POST", f"{path}/trials/{trial}/verify")
        while asked.status not in ENDED:
            if time.monotonic() > until:
                raise NotReady(f"Trial {trial} was not evaluated in {timeout_s:g} s.", "Is a worker online?")
            time.sleep(POLL_S)
            known = self._one(list[VerificationAnswer], "GET", f"{path}/verifications")
            asked = next((each for each in known if each.job_id == asked.job_id), asked)
        return asked

    # --- registry -----------------------------------------------------------------------------------------

    def registry(self) -> list[RegisteredName]:
        """All names, each with its newest version and its aliases."""
        return self._many(RegisteredName, "registry")

    def registered(self, name: str) -> list[RegisteredAnswer]:
        """The versions of a name, newest first."""
        return self._one(list[RegisteredAnswer], "GET", f"registry/{quoted(name)}")

    def register(
        self, name: str, model: str, note: str = "", alias: str = "", anyway: bool = False
    ) -> RegisteredAnswer:
        """Make a model the next version of a name, and point an alias at it as `promote` does."""
        asked = {"model_id": model, "note": note, "alias": alias, "anyway": anyway}
        return self._one(RegisteredAnswer, "POST", f"registry/{quoted(name)}", json=asked)

    def promote(self, name: str, version: int, alias: str, anyway: bool = False) -> RegisteredAnswer:
        """Point an alias, such as `production`, at a version. Raises Conflict where its model has another
        task, other classes or further columns than the one it points to, unless `anyway`."""
        path = f"registry/{quoted(name)}/aliases/{quoted(alias)}"
        return self._one(RegisteredAnswer, "PUT", path, json={"version": version, "anyway": anyway})

    def registered_version(self, name: str, version: int) -> RegisteredAnswer:
        return self._one(RegisteredAnswer, "GET", f"registry/{quoted(name)}/versions/{version}")

    def pointed_at(self, name: str, alias: str) -> RegisteredAnswer:
        """The version that an alias points to."""
        return self._one(RegisteredAnswer, "GET", f"registry/{quoted(name)}/aliases/{quoted(alias)}")

    def drop_alias(self, name: str, alias: str) -> None:
        self._ask("DELETE", f"registry/{quoted(name)}/aliases/{quoted(alias)}")

    def unregister(self, name: str, version: int) -> None:
        """Take a version out of the registry; the model stays."""
        self._ask("DELETE", f"registry/{quoted(name)}/versions/{version}")

    def _predict(self, model: str, content: bytes) -> Prediction:
        path = f"results/model/{quoted(model)}/predict"
        return self._one(Prediction, "POST", path, content=content, headers=frames.JSON)
