"""Tables over REST: in by two ways, looked into, gone; and what is said of bad ones."""

from __future__ import annotations

import httpx
import pytest

from flowml.runner.studio import Studio

TABLE = "when,amount,shop\n2024-01-01,1.5,a\n2024-01-02,,b\n2024-01-03,2.5,a\n"


def test_a_form_adds_a_dataset(api: httpx.Client) -> None:
    answer = api.post("/datasets/upload", files={"file": ("Sales 2024.csv", TABLE)}, data={"name": "sales"})
    assert answer.status_code == 201
    told = answer.json()
    assert (told["name"], told["source"], told["format"]) == ("sales", "Sales 2024.csv", "csv")
    assert (told["rows"], told["version"], told["deleted"]) == (3, 1, False)
    columns = told["schema"]["columns"]
    assert [column["name"] for column in columns] == ["when", "amount", "shop"]
    assert columns[1]["role"] == "numeric"


def test_a_body_adds_a_dataset_and_the_same_name_a_version(api: httpx.Client) -> None:
    first = api.put("/datasets/takings.csv", content=TABLE.encode()).json()
    second = api.put(
        "/datasets/other.csv?title=takings", content=(TABLE + "2024-01-04,1,b\n").encode()
    ).json()
    assert (first["name"], first["version"], first["rows"]) == ("takings", 1, 3)
    assert (second["name"], second["version"], second["rows"]) == ("takings", 2, 4)
    listed = [row for row in api.get("/datasets").json() if row["name"] == "takings"]
    assert [(row["version"], row["rows"], row["columns"]) for row in listed] == [(2, 4, 3), (1, 3, 3)]


def test_a_name_is_cleaned(api: httpx.Client) -> None:
    told = api.put("/datasets/..%5C..%5Cetc%5Cpasswd.csv", content=TABLE.encode()).json()
    assert (told["name"], told["source"]) == ("passwd", "passwd.csv")


def test_a_dataset_is_looked_into(api: httpx.Client) -> None:
    id = api.put("/datasets/look.csv", content=TABLE.encode()).json()["id"]
    assert api.get(f"/datasets/{id}").json()["rows"] == 3
    preview = api.get(f"/datasets/{id}/preview", params={"rows": 2}).json()
    assert preview["columns"] == ["when", "amount", "shop"]
    assert [row[1:] for row in preview["rows"]] == [[1.5, "a"], [None, "b"]]
    assert preview["rows"][0][0].startswith("2024-01-01")
    stats = {row["column"]: row for row in api.get(f"/datasets/{id}/stats").json()}
    assert (stats["amount"]["missing"], stats["amount"]["mean"]) == (1, 2.0)
    assert (stats["shop"]["unique"], stats["shop"]["top"][0]) == (2, "a")


def test_numbers_that_json_cannot_hold_are_null(api: httpx.Client) -> None:
    id = api.put("/datasets/odd.csv", content=b"x,y\n1.5,1\nNaN,2\ninf,3\n-inf,4\n").json()["id"]
    rows = api.get(f"/datasets/{id}/preview").json()["rows"]
    assert [row[0] for row in rows] == [1.5, None, None, None]
    assert api.get(f"/datasets/{id}/stats").status_code == 200


def test_a_deleted_dataset_is_gone_from_the_lists(api: httpx.Client) -> None:
    id = api.put("/datasets/gone.csv", content=TABLE.encode()).json()["id"]
    assert api.delete(f"/datasets/{id}").status_code == 204
    assert id not in [row["id"] for row in api.get("/datasets").json()]
    assert api.get(f"/datasets/{id}").json()["deleted"] is True
    assert api.get(f"/datasets/{id}/preview").json()["code"] == "not_found"
    assert api.delete(f"/datasets/{id}").status_code == 404


BAD = [
    ("empty.csv", b"", 422, "empty_file"),
    ("header.csv", b"a,b,c\n", 422, "empty_file"),
    ("ragged.csv", b"a,b\n" + b"1,2\n" * 50 + b"1,2,3,4\n" + b"1,2\n" * 50, 422, "broken_file"),
    ("renamed.csv", bytes(range(256)) * 40, 422, "unknown_format"),
    ("cut.parquet", b"PAR1" + bytes(500), 422, "broken_file"),
    ("large.csv", b"a,b\n" + b"1,2\n" * 600_000, 413, "file_too_large"),
]


@pytest.mark.parametrize(("name", "content", "status", "code"), BAD)
@pytest.mark.parametrize("way", ["form", "body"])
def test_a_bad_file_is_explained_and_leaves_nothing(
    api: httpx.Client, studio: Studio, way: str, name: str, content: bytes, status: int, code: str
) -> None:
    before = api.get("/datasets").json()
    if way == "form":
        answer = api.post("/datasets/upload", files={"file": (name, content)})
    else:
        answer = api.put(f"/datasets/{name}", content=content)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["advice"]
    assert api.get("/datasets").json() == before
    assert list(studio.settings.uploads.glob("*")) == []


@pytest.mark.parametrize("path", ["", "/preview", "/stats"])
@pytest.mark.parametrize("id", ["nothing", "..%2F..%2Fetc", "a" * 500, "'; DROP TABLE dataset;--"])
def test_an_unknown_dataset_is_not_found(api: httpx.Client, path: str, id: str) -> None:
    answer = api.get(f"/datasets/{id}{path}")
    assert answer.status_code == 404
    assert answer.json()["code"] in ("not_found", "no_route")


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_table_is_downloaded_without_formulas(api: httpx.Client, studio: Studio, format: str) -> None:
    content = b"text,n\n=1+1,1\nplain,2\n"
    id = api.put("/datasets/risky.csv", content=content).json()["id"]
    answer = api.get(f"/datasets/{id}/download", params={"format": format})
    assert f".{format}" in answer.headers["content-disposition"]
    assert int(answer.headers["content-length"]) == len(answer.content)
    if format == "csv":
        assert answer.text == "text,n\n'=1+1,1\nplain,2\n"
    else:
        back = api.put("/datasets/back.xlsx", content=answer.content).json()["id"]
        assert api.get(f"/datasets/{back}/preview").json()["rows"] == [["=1+1", 1], ["plain", 2]]
    assert [path.name for path in studio.settings.uploads.iterdir() if "export" in path.name] == []
    assert api.get(f"/datasets/{id}/download", params={"format": "ods"}).status_code == 422
