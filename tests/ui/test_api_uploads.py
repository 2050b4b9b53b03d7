"""Uploads in parts, and files of the server."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from flowml.runner import incoming
from flowml.runner.studio import Studio
from flowml.storage import ahead, intake
from tests.storage import workbook

TABLE = b"when,amount,shop\n" + b"".join(b"2024-01-%02d,%d.5,a\n" % (n % 28 + 1, n) for n in range(500))
SHA256 = hashlib.sha256(TABLE).hexdigest()


@pytest.fixture(autouse=True)
def nothing_left(studio: Studio) -> Iterator[None]:
    yield
    for left in studio.settings.uploads.glob("*.upload*"):
        left.unlink()


def begin(api: httpx.Client, name: str = "parts.csv", size: int = len(TABLE)) -> str:
    answer = api.post("/uploads", json={"name": name, "size": size})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def send(api: httpx.Client, id: str, first: int, part: bytes, size: int, **headers: str) -> httpx.Response:
    told = {"Content-Range": f"bytes {first}-{first + len(part) - 1}/{size}", **headers}
    return api.put(f"/uploads/{id}", content=part, headers=told)


def whole(api: httpx.Client, name: str, content: bytes) -> str:
    id = begin(api, name, len(content))
    assert send(api, id, 0, content, len(content)).json()["received"] == len(content)
    return id


def test_parts_become_a_dataset_and_are_gone(api: httpx.Client, studio: Studio) -> None:
    id = begin(api)
    for first in range(0, len(TABLE), 4000):
        part = TABLE[first : first + 4000]
        sent = send(api, id, first, part, len(TABLE), **{"X-Part-SHA256": hashlib.sha256(part).hexdigest()})
        assert sent.json()["received"] == first + len(part)
    assert api.get(f"/uploads/{id}/tables").json() == {"tables": []}
    told = api.post(f"/uploads/{id}/finish", json={"name": "in parts", "sha256": SHA256}).json()
    assert (told["name"], told["source"], told["rows"]) == ("in parts", "parts.csv", 500)
    assert api.get(f"/uploads/{id}").status_code == 404
    assert list(studio.settings.uploads.glob(f"{id}*")) == []


def test_a_cut_upload_goes_on_where_it_was(api: httpx.Client, api_address: str) -> None:
    id = begin(api)
    host, port = urlsplit(api_address).hostname, urlsplit(api_address).port
    head = (
        f"PUT /api/uploads/{id} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(TABLE)}\r\n"
        f"Content-Range: bytes 0-{len(TABLE) - 1}/{len(TABLE)}\r\n\r\n"
    )
    with socket.create_connection((host, port)) as line:
        line.sendall(head.encode() + TABLE[:5000])
        time.sleep(0.3)
    until = time.monotonic() + 60
    while (received := api.get(f"/uploads/{id}").json()["received"]) == 0 and time.monotonic() < until:
        time.sleep(0.05)
    assert received == 5000
    assert send(api, id, received, TABLE[received:], len(TABLE)).status_code == 200
    assert api.post(f"/uploads/{id}/finish", json={"sha256": SHA256}).json()["rows"] == 500


def test_large_text_is_read_while_it_comes(api: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it was read once all had come")

    monkeypatch.setattr(ahead, "LARGE", 0)
    monkeypatch.setattr(intake, "convert", refuse)
    id = begin(api)
    assert send(api, id, 0, TABLE[:3000], len(TABLE)).status_code == 200
    assert send(api, id, 3000, TABLE[3000:], len(TABLE)).status_code == 200
    told = api.post(f"/uploads/{id}/finish", json={"sha256": SHA256}).json()
    assert (told["source"], told["rows"]) == ("parts.csv", 500)


def test_a_part_may_come_again_but_none_may_be_left_out(api: httpx.Client) -> None:
    id = begin(api)
    assert send(api, id, 0, TABLE[:3000], len(TABLE)).status_code == 200
    gap = send(api, id, 3001, TABLE[3001:], len(TABLE))
    assert gap.status_code == 409
    assert "3,000 have come" in gap.json()["detail"]
    early = api.post(f"/uploads/{id}/finish", json={})
    assert early.status_code == 409
    assert f"3,000 of {len(TABLE):,} bytes" in early.json()["detail"]
    assert send(api, id, 1000, TABLE[1000:], len(TABLE)).json()["received"] == len(TABLE)
    assert api.post(f"/uploads/{id}/finish", json={"sha256": SHA256}).status_code == 201


def test_wrong_checksums_are_refused(api: httpx.Client) -> None:
    id = begin(api)
    wrong = send(api, id, 0, TABLE, len(TABLE), **{"X-Part-SHA256": "0" * 64})
    assert wrong.status_code == 422
    assert api.get(f"/uploads/{id}").json()["received"] == 0
    send(api, id, 0, TABLE, len(TABLE))
    refused = api.post(f"/uploads/{id}/finish", json={"sha256": "0" * 64})
    assert refused.status_code == 422
    assert SHA256 in refused.json()["detail"]
    assert api.get(f"/uploads/{id}").status_code == 404


def test_the_checksum_of_a_file_that_is_sent_at_once_is_compared(api: httpx.Client) -> None:
    wrong = api.put("/datasets/once.csv", content=TABLE[:-9], headers={"X-SHA256": SHA256})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "input")
    assert SHA256 in wrong.json()["detail"]
    right = api.put("/datasets/once.csv", content=TABLE, headers={"X-SHA256": SHA256.upper()})
    assert (right.status_code, right.json()["rows"]) == (201, 500)


@pytest.mark.parametrize(
    "told", ["bytes 0-9/10", "bytes 5-4/{size}", "bytes 0-{size}/{size}", "0-1", "bytes */5"]
)
def test_a_range_that_does_not_fit_is_refused(api: httpx.Client, told: str) -> None:
    id = begin(api)
    answer = api.put(
        f"/uploads/{id}", content=b"x" * 10, headers={"Content-Range": told.format(size=len(TABLE))}
    )
    assert answer.status_code == 422
    assert "Content-Range" in answer.json()["detail"]


def test_a_part_of_another_length_than_told_is_refused(api: httpx.Client) -> None:
    id = begin(api)
    longer = api.put(f"/uploads/{id}", content=TABLE, headers={"Content-Range": f"bytes 0-99/{len(TABLE)}"})
    assert longer.status_code == 413
    assert api.get(f"/uploads/{id}").json()["received"] <= 100


def test_what_is_too_large_or_empty_is_refused_before_a_byte_comes(api: httpx.Client) -> None:
    assert api.post("/uploads", json={"name": "x.csv", "size": 10**12}).status_code == 413
    assert api.post("/uploads", json={"name": "x.csv", "size": 0}).status_code == 422
    for id in ("0" * 32, "..%2F..%2Fx", "A" * 32):
        assert api.get(f"/uploads/{id}").status_code == 404


def test_a_table_is_chosen_of_several(api: httpx.Client, tmp_path: Path) -> None:
    book = workbook.write(tmp_path / "b.xlsx", {"one": [["a"], [1]], "two": [["b"], [2], [3]]})
    id = whole(api, "b.xlsx", book.read_bytes())
    assert api.get(f"/uploads/{id}/tables").json() == {"tables": ["one", "two"]}
    slip = api.post(f"/uploads/{id}/finish", json={"table": "three"})
    assert (slip.status_code, slip.json()["code"]) == (422, "unknown_table")
    told = api.post(f"/uploads/{id}/finish", json={"table": "two"}).json()
    assert (told["rows"], told["source_table"]) == (2, "two")


def test_what_is_no_table_is_refused_and_gone(api: httpx.Client) -> None:
    id = whole(api, "x.csv", b"\x89PNG\r\n\x1a\n" + bytes(50))
    assert "a PNG picture" in api.post(f"/uploads/{id}/finish", json={}).json()["detail"]
    assert api.get(f"/uploads/{id}").status_code == 404


def test_an_upload_is_dropped_or_expires(api: httpx.Client, studio: Studio) -> None:
    dropped, expired = begin(api), begin(api)
    assert api.delete(f"/uploads/{dropped}").status_code == 204
    assert api.get(f"/uploads/{dropped}").status_code == 404
    old = time.time() - incoming.EXPIRES_S - 1
    os.utime(studio.settings.uploads / f"{expired}.upload", (old, old))
    begin(api)
    assert api.get(f"/uploads/{expired}").status_code == 404


# --- files of the server ----------------------------------------------------------------------------------


@pytest.fixture
def roots(studio: Studio, tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "listed"
    root.mkdir()
    client = studio.client
    before = client._settings
    client._settings = replace(before, data_roots=(str(root),))
    yield root
    client._settings = before


def test_nothing_of_the_server_is_added_unless_an_administrator_lists_it(api: httpx.Client) -> None:
    refused = api.post("/datasets/register", json={"path": "/etc/passwd"})
    assert refused.status_code == 403
    assert "FLOWML_DATA_ROOTS" in refused.json()["advice"]


def test_files_and_folders_below_the_roots_are_added(api: httpx.Client, roots: Path) -> None:
    (roots / "a.csv").write_bytes(TABLE)
    (roots / "broken.parquet").write_bytes(b"PAR1")
    (roots / "notes.md").write_text("no table")
    one = api.post("/datasets/register", json={"path": str(roots / "a.csv"), "name": "mine"}).json()
    assert [(row["dataset"]["name"], row["error"]) for row in one] == [("mine", "")]
    all_ = api.post("/datasets/register", json={"path": str(roots)}).json()
    assert [Path(row["path"]).name for row in all_] == ["a.csv", "broken.parquet"]
    assert all_[1]["dataset"] is None
    assert "damaged" in all_[1]["error"] or "cut off" in all_[1]["error"]


def test_no_way_leads_out_of_the_roots(api: httpx.Client, roots: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_bytes(TABLE)
    (roots / "link.csv").symlink_to(tmp_path / "secret.csv")
    (roots / "ok.csv").write_bytes(TABLE)
    for path in ("/etc/passwd", f"{roots}/../secret.csv", f"{roots}/link.csv", f"{roots}/none.csv", "x\0y"):
        assert api.post("/datasets/register", json={"path": path}).status_code == 403
    listed = api.post("/datasets/register", json={"path": str(roots)}).json()
    assert [Path(row["path"]).name for row in listed] == ["ok.csv"]
