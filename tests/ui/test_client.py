"""The Python client against a real API: what comes back, and what is raised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from flowml.storage.errors import (
    BrokenFile,
    Conflict,
    FileTooLarge,
    FlowMLError,
    InputError,
    NotFound,
    NotReady,
    UnknownColumn,
)
from flowml.ui.client import Studio


@pytest.fixture
def client(api_address: str) -> Iterator[Studio]:
    with Studio(api_address) as client:
        yield client


def table(folder: Path, name: str, rows: int = 30) -> Path:
    path = folder / name
    path.write_text("\n".join(["x,y", *(f"{i},{'ab'[i % 2]}" for i in range(rows))]))
    return path


def test_a_dataset_goes_in_and_out(client: Studio, tmp_path: Path) -> None:
    added = client.upload(table(tmp_path, "Maße & Gewichte #1?.csv"))
    assert (added.name, added.source, added.rows) == ("Maße & Gewichte #1?", "Maße & Gewichte #1?.csv", 30)
    assert [column.name for column in added.table.columns] == ["x", "y"]
    assert client.dataset(added.id) == added
    assert added.id in [dataset.id for dataset in client.datasets()]
    assert client.preview(added.id, 2).rows == [[0, "a"], [1, "b"]]
    assert [stats.column for stats in client.stats(added.id)] == ["x", "y"]
    client.delete_dataset(added.id)
    assert added.id not in [dataset.id for dataset in client.datasets()]


def test_a_large_file_goes_in_parts_and_goes_on_after_a_cut(
    client: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowml.ui.client.PART_BYTES", 10)
    asked = client._http.request
    sent: list[str] = []

    def request(method: str, path: str, **content: Any) -> httpx.Response:
        if method == "PUT":
            sent.append(content["headers"]["Content-Range"])
            if len(sent) == 1:
                raise httpx.ConnectError("cut")
        return asked(method, path, **content)

    monkeypatch.setattr(client._http, "request", request)
    added = client.upload(table(tmp_path, "large.csv"), name="large")
    assert (added.name, added.source, added.rows) == ("large", "large.csv", 30)
    assert len(sent) == 2
    assert sent[0] == sent[1]


def test_a_name_may_be_given(client: Studio, tmp_path: Path) -> None:
    assert client.upload(table(tmp_path, "a.csv"), name="given").name == "given"


def test_a_job_is_started_watched_and_ended(client: Studio, tmp_path: Path) -> None:
    job = client.train(client.upload(table(tmp_path, "b.csv")).id, "y", time_budget=0.5, seed=3)
    assert (client.job(job).status, client.jobs(limit=1)[0].id) == ("queued", job)
    with pytest.raises(NotReady, match="still queued"):
        client.wait(job, timeout_s=0.1, poll_s=0.05)
    client.cancel(job)
    assert client.wait(job, timeout_s=5).status == "cancelled"
    assert list(client.events(job)) is not None
    assert client.leaderboard(job).models == []
    assert client.models(job) == []
    client.cancel(job)


def test_the_whole_is_told(client: Studio) -> None:
    assert client.health().status == "ok"
    assert client.workers() == []


def test_errors_come_back_as_they_were_raised(client: Studio, tmp_path: Path) -> None:
    dataset = client.upload(table(tmp_path, "c.csv"))
    with pytest.raises(UnknownColumn, match="colour"):
        client.train(dataset.id, "colour")
    with pytest.raises(InputError, match="budget"):
        client.train(dataset.id, "y", time_budget=1e9, priority=False)
    with pytest.raises(InputError, match=r"body\.time_budget"):
        client.train(dataset.id, "y", time_budget="soon")
    with pytest.raises(NotFound, match="nothing"):
        client.job("nothing")
    with pytest.raises(NotFound, match="nothing"):
        list(client.events("nothing"))
    with pytest.raises(NotFound):
        client.predict("nothing", {"x": 1})
    with pytest.raises(NotFound):
        client.dataset("../../health")
    client.train(dataset.id, "y")
    with pytest.raises(Conflict, match="in use"):
        client.delete_dataset(dataset.id)
    broken = tmp_path / "cut.parquet"
    broken.write_bytes(b"PAR1" + bytes(300))
    with pytest.raises(BrokenFile):
        client.upload(broken)
    with pytest.raises(FileTooLarge):
        client.upload(table(tmp_path, "large.csv", rows=400_000))


def test_no_studio_is_said_plainly() -> None:
    with (
        pytest.raises(NotReady, match="No studio answers"),
        Studio("http://127.0.0.1:9") as gone,
    ):
        gone.datasets()


def test_what_is_no_studio_is_said_plainly(api_address: str) -> None:
    with Studio(f"{api_address}/flowml") as other, pytest.raises(FlowMLError, match="Is it a FlowML"):
        other.datasets()


def test_a_token_is_sent_and_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    studio = Studio("http://127.0.0.1:9", token="abc")
    assert studio._http.headers["authorization"] == "Bearer abc"
    assert isinstance(studio._http._transport_for_url(httpx.URL("http://x.example")), httpx.HTTPTransport)
    studio.close()
