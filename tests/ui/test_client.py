"""The Python client against a real API: what comes back, and what is raised."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import polars as pl
import pytest

from flowml.runner.address import LOCAL, find
from flowml.runner.notes import Note, write_note
from flowml.runner.settings import Settings
from flowml.storage import models
from flowml.storage.errors import (
    BrokenFile,
    Conflict,
    DataError,
    FileTooLarge,
    FlowMLError,
    InputError,
    NotFound,
    NotReady,
    UnknownColumn,
)
from flowml.storage.records import Artifact, Model, Task
from flowml.ui.api.bodies.results import Prediction, PredictionWarning
from flowml.ui.client import Studio
from flowml.ui.remote.frames import answers, bodies, body, no_answers


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
    monkeypatch.setattr("flowml.ui.remote.tables.PART_BYTES", 10)
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


@pytest.mark.parametrize("arrived", [False, True], ids=["the part was lost", "its answer was lost"])
def test_a_cut_between_many_parts_costs_no_byte(
    arrived: bool, client: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowml.ui.remote.tables.PART_BYTES", 10)
    asked = client._http.request
    puts = 0

    def request(method: str, path: str, **content: Any) -> httpx.Response:
        nonlocal puts
        puts += method == "PUT"
        cut = method == "PUT" and puts == 2
        if cut and not arrived:
            raise httpx.ConnectError("cut")
        answer = asked(method, path, **content)
        if cut:
            raise httpx.ReadError("cut")
        told = answer.json() if "uploads" in path and "finish" not in path else {}
        return httpx.Response(200, json={**told, "part_bytes": 40}) if told else answer

    monkeypatch.setattr(client._http, "request", request)
    file = table(tmp_path, "parts.csv")
    added = client.upload(file, name="parts")
    assert added.rows == 30
    assert puts == -(-file.stat().st_size // 40) + (0 if arrived else 1)
    assert client.preview(added.id, 30).rows[29][0] == 29


@pytest.mark.parametrize("part_bytes", [10, 10**6], ids=["in parts", "at once"])
def test_a_file_that_came_with_another_content_is_refused(
    part_bytes: int, client: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowml.ui.remote.tables.PART_BYTES", part_bytes)
    asked = client._http.request

    def request(method: str, path: str, **content: Any) -> httpx.Response:
        if method == "PUT":
            whole = b"".join([content["content"]] if part_bytes == 10 else content["content"])
            content["content"] = whole.replace(b"1", b"7")
        return asked(method, path, **content)

    monkeypatch.setattr(client._http, "request", request)
    with pytest.raises(InputError, match="SHA-256"):
        client.upload(table(tmp_path, "changed.csv"))
    assert not [each for each in client.datasets() if each.name == "changed"]


def test_a_name_may_be_given(client: Studio, tmp_path: Path) -> None:
    assert client.upload(table(tmp_path, "a.csv"), name="given").name == "given"


def test_a_job_is_started_watched_and_ended(client: Studio, tmp_path: Path) -> None:
    job = client.train(client.upload(table(tmp_path, "b.csv")).id, "y", time_budget=0.5, seed=3)
    assert (client.job(job).status, client.jobs(limit=1)[0].id) == ("queued", job)
    with pytest.raises(NotReady, match="still queued"):
        client.wait(job, timeout_s=0.1, poll_s=0.05)
    client.cancel(job)
    assert client.wait(job, timeout_s=60).status == "cancelled"
    assert list(client.events(job)) is not None
    assert client.leaderboard(job).models == []
    assert client.models(job) == []
    client.cancel(job)


def test_the_whole_is_told(client: Studio) -> None:
    assert client.health().status == "ok"
    assert client.workers() == []


@pytest.mark.parametrize("url", ["127.0.0.1:8501", "studio", "ftp://studio", "http://", "http://a b:x"])
def test_what_is_no_address_of_a_studio_is_said(url: str) -> None:
    with pytest.raises(InputError, match=r"is no address of a studio; expected one such as http://"):
        Studio(url, "flowml_x")


def test_what_can_be_no_token_is_said_and_not_shown() -> None:
    for token in ("flowml_ü", "flowml_x\n", "two words"):
        with pytest.raises(InputError, match="characters that no token has") as refused:
            Studio("http://127.0.0.1:9", token)
        assert token not in str(refused.value)


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
    with pytest.raises(NotFound, match="'a/b': no name or id has a slash"):
        client.register("a/b", "model-1")
    with pytest.raises(InputError, match="empty"):
        client.dataset("")
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


def days(pandas: bool) -> Any:
    frame = pl.DataFrame(
        {
            "day": [date(2024, 1, n % 28 + 1) for n in range(40)],
            "y": ["a" if n % 2 else "b" for n in range(40)],
        }
    )
    return frame.to_pandas() if pandas else frame


@pytest.mark.parametrize("pandas", [False, True])
def test_a_frame_goes_in_and_comes_back(client: Studio, pandas: bool) -> None:
    added = client.upload(days(pandas), name="sales/days of frames")
    assert (added.name, added.rows) == ("days of frames", 40)
    back = client.frame(added.id, pandas=pandas)
    assert list(back.columns) == ["day", "y"]
    assert back["y"].to_list() == days(False)["y"].to_list()
    assert isinstance(back, pd.DataFrame if pandas else pl.DataFrame)
    assert added.id in [version.id for version in client.versions(added.id)]


def test_what_is_no_table_is_refused(client: Studio) -> None:
    with pytest.raises(DataError, match="cannot be read as a table"):
        client.upload([1, 2])


def test_predictions_of_a_frame_are_a_frame() -> None:
    new = PredictionWarning(row=1, column="x", message="is new", rows=1)
    absent = PredictionWarning(row=0, column="z", message="did not come", rows=2)
    told = Prediction(
        prediction=["a", "b"],
        probability=[{"a": 0.7, "b": 0.3}, {"a": 0.1, "b": 0.9}],
        execution_time=0.1,
        warnings=[new, absent],
        row_warnings=["", "x: is new"],
    )
    frame = answers([told, told], pandas=False)
    assert frame[:2].to_dicts() == [
        {"prediction": "a", "probability_a": 0.7, "probability_b": 0.3, "warnings": "z: did not come"},
        {"prediction": "b", "probability_a": 0.1, "probability_b": 0.9, "warnings": "x: is new"},
    ]
    assert frame["warnings"].to_list()[2:] == ["", "x: is new"]
    assert (
        answers(
            [Prediction(prediction=[1.5], probability=None, execution_time=0.1, row_warnings=None)],
            pandas=True,
        )["prediction"][0]
        == 1.5
    )


def test_no_rows_give_a_frame_of_the_same_columns() -> None:
    whole = no_answers({"classes": ["1", "2"], "label_type": "integer"}, pandas=False)
    assert whole.columns == ["prediction", "probability_1", "probability_2", "warnings"]
    assert whole.dtypes == [pl.Int64, pl.Float64, pl.Float64, pl.String]
    assert list(no_answers({"classes": []}, pandas=True).columns) == ["prediction", "warnings"]


def sent(table: Any) -> list[list[dict[str, Any]]]:
    return [json.loads(content)["data"] for content in bodies(table)]


def test_cells_of_a_frame_are_sent_as_json_knows_them() -> None:
    frame = pl.DataFrame({"d": [date(2024, 1, 2)], "x": [float("nan")], "n": [None], "b": [True]})
    assert sent(frame) == [[{"d": "2024-01-02", "x": None, "n": None, "b": True}]]
    assert sent(frame.to_pandas())[0][0]["d"].startswith("2024-01-02")
    odd = pl.DataFrame(
        {
            "t": [timedelta(minutes=1)],
            "i": [-math.inf],
            "r": [b"caf\xc3\xa9"],
            "l": [[1]],
            "s": [{"a": date.min}],
        }
    )
    assert sent(odd) == [[{"t": 60.0, "i": "-inf", "r": "café", "l": [1], "s": {"a": "0001-01-01"}}]]
    assert body({"x": np.float64(1.5), "n": np.int64(2)}) == b'{"data": {"x": 1.5, "n": 2}}'
    assert body({"a": np.arange(2), "t": np.timedelta64(5, "ns")}) == b'{"data": {"a": [0, 1], "t": 0.0}}'


def test_columns_of_pandas_that_mix_types_are_sent_as_they_are() -> None:
    frame = pd.DataFrame({"m": ["a", 1, 2.5, None], 7: pd.period_range("2024", periods=4, freq="D")})
    assert sent(frame)[0][1:] == [{"m": 1, "7": "2024-01-02"}, {"m": 2.5, "7": "2024-01-03"},
                                  {"m": None, "7": "2024-01-04"}]  # fmt: skip
    frame.columns = ["m", "m"]
    with pytest.raises(DataError, match="Two columns are called 'm'"):
        list(bodies(frame))


def test_long_rows_go_in_several_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowml.ui.remote.frames.MOST_BYTES", 3_000)
    told = sent(pl.DataFrame({"n": range(7), "text": ["x" * 1_000] * 7}))
    assert [[row["n"] for row in rows] for rows in told] == [[0], [1, 2], [3, 4], [5, 6]]
    assert all(json.loads(content)["per_row"] for content in bodies(pl.DataFrame({"n": [1]})))


def test_the_registry_and_lists_of_models(client: Studio, studio: Any, tmp_path: Path) -> None:
    job = client.train(client.upload(table(tmp_path, "r.csv")).id, "y", time_budget=0.5)
    model = Model("model-r", job, "m", "dummy", Task.BINARY, "accuracy", 0.5, 9e9, Artifact("ef" * 32, 5))
    with studio.client._db.write() as cursor:
        models.insert(cursor, model)
    assert client.all_models(limit=1)[0].id == "model-r"
    assert client.register("plants", "model-r", alias="live").aliases == ["live"]
    assert client.model("plants@live").id == "model-r"
    assert [each.version for each in client.registered("plants")] == [1]
    assert client.explanations("plants:1").importances == []
    client.drop_alias("plants", "live")
    client.unregister("plants", 1)
    assert "plants" not in [each.name for each in client.registry()]
    client.cancel(job)


def test_a_job_is_cloned_and_its_papers_read(client: Studio, tmp_path: Path) -> None:
    job = client.train(client.upload(table(tmp_path, "k.csv")).id, "y", time_budget=0.5)
    again = client.clone(job, name="again")
    assert client.job(again).name == "again"
    assert client.trials(again) == []
    with pytest.raises(Conflict, match="no receipt"):
        client.receipt(again)
    with pytest.raises(Conflict):
        client.pause(again)
    for each in (job, again):
        client.cancel(each)
    client.delete_job(again)
    assert [each.id for each in client.jobs(limit=None, status=["cancelled"]) if each.id == again] == []


def test_who_asks_is_told_and_without_logins_all_is_shared(client: Studio) -> None:
    assert (client.me().name, client.me().role) == ("owner", "admin")
    assert (client.users(), client.projects(), client.tokens()) == ([], [], [])
    with pytest.raises(Conflict, match="all is shared"):
        client.add_project("x")
    assert client.audit(limit=3)[0].who == "owner"


def test_the_whole_is_told_in_parts(client: Studio) -> None:
    assert client.cluster().online == 0
    assert client.counts().workers_online == 0
    assert "flowml_up 1.0" in client.metrics()
    assert isinstance(client.logs(limit=5), list)
    with pytest.raises(NotFound):
        client.worker("nobody")


def test_an_administrator_sees_settings_and_room(client: Studio, studio: Any) -> None:
    found = {each.name: each for each in client.settings()}
    assert (found["FLOWML_WORKERS"].value, found["FLOWML_WORKERS"].origin) == ("0", "command line")
    room = client.storage()
    assert {"Tables and models", "Database", "Logs"} <= {each.name for each in room.shelves}
    assert room.used == sum(each.size for each in room.shelves) > 0
    assert room.total > room.free > 0
    for new in (False, True):
        with pytest.raises(Conflict, match="open to this machine alone"):
            client.join(new)
    studio.client._artifacts.put_bytes(b"nothing refers to this")
    assert client.collect_garbage(older_s=0).removed >= 1


@pytest.mark.parametrize("show", [True, False])
def test_progress_is_drawn_where_one_looks(
    client: Studio, tmp_path: Path, show: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    job = client.train(client.upload(table(tmp_path, "p.csv"), show=show).id, "y", time_budget=0.5)
    client.cancel(job)
    client.wait(job, timeout_s=60, show=show)
    said = capsys.readouterr().err
    assert ("cancelled" in said, "p.csv" in said) == (show, show)


def test_the_studio_of_a_data_folder_is_found_with_its_key(home: Path) -> None:
    settings = Settings(home=home)
    assert find("", settings)[:2] == (LOCAL, None)
    write_note(home, Note("http://127.0.0.1:9999", 1, "flowml_local_x"))
    assert find("", settings)[:2] == ("http://127.0.0.1:9999", "flowml_local_x")
    assert find("http://127.0.0.1:9999/", settings).token == "flowml_local_x"
    assert find("http://other:1", settings)[:2] == ("http://other:1", None)  # the key goes nowhere else
    named = dataclasses.replace(settings, studio_url="https://lab.example/", token="flowml_t")
    assert find("", named)[:2] == ("https://lab.example", "flowml_t")


class Flaky(httpx.BaseTransport):
    """Breaks off twice, then answers."""

    def __init__(self) -> None:
        self.keys: list[str | None] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers.get("idempotency-key"))
        if len(self.keys) < 3:
            raise httpx.ReadError("cut")
        return httpx.Response(202, json={"job_id": "job-1", "status": "queued"})


def test_a_start_that_was_cut_is_sent_again_with_its_key_and_others_are_not() -> None:
    studio, flaky = Studio("http://studio.example", token="t"), Flaky()
    studio._http = httpx.Client(transport=flaky, base_url="http://studio.example")
    assert studio.train("dataset-1", "y") == "job-1"
    assert len(set(flaky.keys)) == 1
    flaky.keys = []
    with pytest.raises(NotReady):
        studio.cancel("job-1")
    assert flaky.keys == [None]
