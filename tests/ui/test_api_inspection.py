"""Looking into a table over REST: profile, associations, roles, queries, versions made by SQL."""

from __future__ import annotations

import httpx
import pytest

ROWS = "".join(f"{n},{'ab'[n % 2]},{n % 7},{'yes' if n % 2 else 'no'}\n" for n in range(60))
TABLE = f"age,shop,day,churn\n{ROWS}"


@pytest.fixture(scope="module")
def id(api: httpx.Client) -> str:
    return str(api.put("/datasets/inspected.csv", content=TABLE.encode()).json()["id"])


def test_a_profile_is_told(api: httpx.Client, id: str) -> None:
    told = api.get(f"/datasets/{id}/profile").json()
    columns = {column["column"]: column for column in told["columns"]}
    assert (told["rows"], told["duplicates"], columns["age"]["distinct"]) == (60, 0, 60)
    assert columns["shop"]["top_counts"] == [30, 30]
    assert told["associations"][0]["value"] > 0.9
    assert api.get(f"/datasets/{id}/profile").json() == told


def test_associations_with_a_target_are_told(api: httpx.Client, id: str) -> None:
    told = api.get(f"/datasets/{id}/associations", params={"target": "churn"}).json()
    assert (told[0]["column"], told[0]["auc"]) == ("shop", 1.0)
    refused = api.get(f"/datasets/{id}/associations", params={"target": "nothing"})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_column")


def test_roles_are_kept_and_a_new_version_begins_with_them(api: httpx.Client, id: str) -> None:
    told = api.put(f"/datasets/{id}/roles", json={"roles": {"day": "categorical", "age": "numeric"}})
    assert told.json()["roles"] == {"day": "categorical"}  # age was guessed to be a number anyway
    made = api.post(f"/datasets/{id}/derive", json={"sql": "SELECT * FROM dataset WHERE age < 30"}).json()
    assert (made["version"], made["rows"], made["parent"]) == (2, 30, id)
    assert made["query"] == "SELECT * FROM dataset WHERE age < 30"
    assert made["roles"]["day"] == "categorical"
    refused = api.put(f"/datasets/{id}/roles", json={"roles": {"none": "group"}})
    assert refused.json()["code"] == "unknown_column"


def test_queries_are_shown_and_refused(api: httpx.Client, id: str) -> None:
    asked = {"sql": "SELECT shop, count(*) AS n FROM dataset GROUP BY shop ORDER BY shop", "rows": 1}
    assert api.post(f"/datasets/{id}/query", json=asked).json() == {
        "columns": ["shop", "n"],
        "rows": [["a", 30]],
        "total": 2,
    }
    for sql in ("DELETE FROM dataset", "SELECT * FROM read_csv('/etc/passwd')"):
        for way in ("query", "derive"):
            refused = api.post(f"/datasets/{id}/{way}", json={"sql": sql})
            assert (refused.status_code, refused.json()["code"]) == (422, "query")


def test_versions_are_compared(api: httpx.Client, id: str) -> None:
    sql = "SELECT * EXCLUDE (shop), age::VARCHAR || 'x' AS words, 'new' AS more FROM dataset WHERE age > 40"
    other = api.post(f"/datasets/{id}/derive", json={"sql": sql, "name": "other"}).json()
    assert (other["name"], other["version"]) == ("other", 1)
    told = api.get(f"/datasets/{other['id']}/difference", params={"since": id}).json()
    assert (told["rows_before"], told["rows_now"]) == (60, 19)
    assert (told["added"], told["removed"]) == (["words", "more"], ["shop"])
    age = next(column for column in told["values"]["columns"] if column["column"] == "day")
    assert age["psi"] is not None


def test_a_check_tells_what_to_mend(api: httpx.Client, id: str) -> None:
    told = api.get(f"/datasets/{id}/check", params={"target": "churn"}).json()
    assert (told[0]["kind"], told[0]["severity"], told[0]["column"]) == ("target_copy", "error", "shop")
    assert told[0]["fix"] == {"roles": {"shop": "ignored"}}
    assert [each["kind"] for each in api.get(f"/datasets/{id}/check").json()] == ["duplicate_column"]
    assert api.get(f"/datasets/{id}/check", params={"target": "churn", "task": "odd"}).status_code == 422


def test_a_fix_is_applied(api: httpx.Client, id: str) -> None:
    fix = {"roles": {"shop": "ignored"}}
    assert api.post(f"/datasets/{id}/apply", json={"fix": fix}).json()["roles"]["shop"] == "ignored"
    grouped = api.post(f"/datasets/{id}/apply", json={"fix": {"split": "group:day"}}).json()
    assert grouped["roles"] == {"shop": "ignored", "day": "group"}
    sql = "SELECT * FROM dataset WHERE age <> 3"
    mended = api.post(f"/datasets/{id}/apply", json={"fix": {"query": sql}}).json()
    assert (mended["parent"], mended["rows"]) == (id, 59)
    for wrong in ({"split": "odd:day"}, {"roles": {"none": "group"}}, {"other": 1}):
        assert api.post(f"/datasets/{id}/apply", json={"fix": wrong}).status_code == 422
