"""What the API's document promises holds for requests that nobody would think of.

`scripts/measure/contract` sends many more of them.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp

from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage import jobs, models
from flowml.storage.records import Artifact, JobState, Model, Task
from flowml.ui.api.application import build_api

EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "1"))  # of each route, and as many with names that exist
SEED = int(os.environ.get("CONTRACT_SEED", "0"))


def no_fault_of_ours(_context: Any, response: Any, _case: Any) -> None:
    """503 says that something is away, as a language model; another one would be a fault."""
    assert response.status_code < 500 or response.status_code == 503, response.text


CHECKS = [
    no_fault_of_ours,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# An answer without an end, and what would have everybody sign in from then on.
LEFT_OUT = {("GET", "/logs/follow"), ("POST", "/users")}
ROWS = "x,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(30))


@pytest.fixture(scope="module")
def open_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    studio = Studio(Settings(home=tmp_path_factory.mktemp("open"), workers=0, upload_limit=2_000_000))
    studio.start()
    studio.client._local_workers = None  # jobs wait: no route starts a worker
    yield studio
    studio.stop()


@pytest.fixture(scope="module")
def address(open_studio: Studio, run: Callable[[ASGIApp], AbstractContextManager[str]]) -> Iterator[str]:
    with run(build_api(open_studio, threading.Event())) as address:
        yield address


@pytest.fixture(scope="module")
def real(open_studio: Studio, address: str) -> dict[str, str]:
    """Names of a dataset, an ended job, and a model whose file is gone."""
    with httpx.Client(base_url=address, timeout=60) as client:
        dataset = client.put("/datasets/table.csv", content=ROWS.encode()).json()["id"]
        asked = {"dataset_id": dataset, "target_column": "y"}
        job = client.post("/training/start", json=asked).json()["job_id"]
        upload = client.post("/uploads", json={"name": "table.csv", "size": 4}).json()["id"]
        model = Model("model-a", job, "m", "dummy", Task.BINARY, "accuracy", 0.5, 1.0, Artifact("ab" * 32, 9))
        with open_studio.client._db.write() as cursor:
            models.insert(cursor, model)
            jobs.update(cursor, job, state=JobState.FINISHED)
        client.post("/registry/churn", json={"model_id": model.id, "alias": "live"})
    named = {"dataset_id": dataset, "job_id": job, "model_id": model.id, "upload_id": upload}
    return named | {"name": "churn", "version": "1", "alias": "live"}


def told(error: BaseException) -> str:
    return "\n".join(map(str, error.exceptions)) if isinstance(error, FailureGroup) else repr(error)


@pytest.mark.timeout(3600 if EXAMPLES > 1 else 180)
def test_every_answer_is_one_of_those_that_the_document_promises(
    address: str, real: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    schema = schemathesis.openapi.from_dict(httpx.get(f"{address}/openapi.json", timeout=60).json())
    operations = [each.ok() for each in schema.get_all_operations()]
    operations.sort(key=lambda each: each.method.upper() == "DELETE")
    wrong: list[str] = []
    cases = 0

    def ask(operation: Any, known: dict[str, str]) -> None:
        @seed(SEED)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def once(case: Any) -> None:
            nonlocal cases
            cases += 1
            case.path_parameters = {**(case.path_parameters or {}), **known}
            try:
                case.call_and_validate(base_url=address, checks=CHECKS, timeout=60)
            except (FailureGroup, AssertionError, OSError) as error:
                wrong.append(f"{operation.method.upper()} {operation.path}: {told(error)}")

        once()

    for operation in operations:
        if (operation.method.upper(), operation.path) in LEFT_OUT:
            continue
        ask(operation, {})
        known = {name: id for name, id in real.items() if f"{{{name}}}" in operation.path}
        if known and not operation.path.endswith("/events"):
            ask(operation, known)
    if EXAMPLES > 1:
        with capsys.disabled():
            sys.stdout.write(
                f"\n{cases:,} requests to {len(operations)} routes, {len(wrong)} wrong answers\n"
            )
    assert cases >= (1_000 if EXAMPLES >= 10 else len(operations))
    assert wrong == [], f"{len(wrong)} of {cases} answers:\n\n" + "\n\n".join(wrong)
