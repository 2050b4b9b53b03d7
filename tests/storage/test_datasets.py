from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.datasets import Datasets, dataset_name, file_name
from flowml.storage.db import Database
from flowml.storage.errors import BrokenFile, FileTooLarge, NotFound, QueryError, UnknownColumn
from flowml.storage.records import Role


@pytest.fixture
def datasets(db: Database, tmp_path: Path) -> Datasets:
    return Datasets(db, LocalArtifacts(tmp_path / "artifacts"), limit_bytes=1_000_000)


@pytest.fixture
def churn(tmp_path: Path) -> Path:
    path = tmp_path / "churn.csv"
    path.write_text("tenure,churn\n" + "".join(f"{n},{'yes' if n % 3 else 'no'}\n" for n in range(40)))
    return path


def test_a_file_becomes_a_dataset(datasets: Datasets, churn: Path) -> None:
    dataset = datasets.add(churn)
    assert (dataset.name, dataset.version, dataset.rows, dataset.source) == ("churn", 1, 40, "churn.csv")
    assert dataset.schema.names == ("tenure", "churn")
    assert datasets.get(dataset.id) == dataset
    assert datasets.frame(dataset.id).shape == (40, 2)
    assert datasets.preview(dataset.id, 3).rows() == [(0, "no"), (1, "yes"), (2, "yes")]
    assert datasets.path(dataset.id).name == dataset.sha256
    assert datasets.path(dataset.id).stat().st_size == dataset.size


def test_the_same_name_gets_the_next_version_even_from_two_at_once(datasets: Datasets, churn: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        versions = [dataset.version for dataset in pool.map(datasets.add, [churn] * 2)]
    assert sorted(versions) == [1, 2]
    assert datasets.add(churn, name="other").version == 1
    assert datasets.list_()[0].name == "other"


def test_a_deleted_dataset_is_hidden_but_jobs_still_find_it(datasets: Datasets, churn: Path) -> None:
    first, second = datasets.add(churn), datasets.add(churn)
    datasets.delete(second.id)
    assert datasets.list_() == (first,)
    assert datasets.get(second.id).deleted
    assert datasets.path(second.id).exists()
    assert datasets.add(churn).version == 3
    with pytest.raises(NotFound, match="dataset-9"):
        datasets.delete("dataset-9")


def test_stats_tell_of_each_column(datasets: Datasets, churn: Path) -> None:
    tenure, target = datasets.stats(datasets.add(churn).id)
    assert (tenure["column"], tenure["type"], tenure["missing"], tenure["unique"]) == (
        "tenure",
        "integer",
        0,
        40,
    )
    assert (target["role"], target["top"]) == ("boolean", ["yes", "no"])


def test_what_is_refused_leaves_nothing(datasets: Datasets, churn: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    churn.write_text("a,b\n1\n")
    with pytest.raises(BrokenFile):
        datasets.add(churn)
    churn.write_bytes(b"x" * 1_000_001)
    with pytest.raises(FileTooLarge, match="FLOWML_UPLOAD_LIMIT"):
        datasets.add(churn)
    with pytest.raises(NotFound, match=r"no.csv"):
        datasets.add(tmp_path / "no.csv")
    assert datasets.list_() == ()
    assert sorted(tmp_path.rglob("*")) == before


def test_what_a_killed_studio_left_is_removed(db: Database, tmp_path: Path) -> None:
    (tmp_path / "intake-left").mkdir()
    (tmp_path / "intake-left" / "table.parquet").write_bytes(b"half")
    Datasets(db, LocalArtifacts(tmp_path / "artifacts"), limit_bytes=1)
    assert not (tmp_path / "intake-left").exists()


def test_a_preview_shows_no_raw_bytes(datasets: Datasets, tmp_path: Path) -> None:
    pl.DataFrame({"n": [1, 2], "photo": [b"\xff\x00", None]}).write_parquet(tmp_path / "photos.parquet")
    dataset = datasets.add(tmp_path / "photos.parquet")
    assert datasets.preview(dataset.id).rows() == [(1, "2 bytes"), (2, None)]


@pytest.mark.parametrize(
    ("source", "file", "name"),
    [
        ("churn.csv", "churn.csv", "churn"),
        ("../../etc/passwd", "passwd", "passwd"),
        (r"C:\Users\me\Q3 sales.xlsx", "Q3 sales.xlsx", "Q3 sales"),
        ("sales.2020.Parquet", "sales.2020.Parquet", "sales.2020"),
        ("v1.2", "v1.2", "v1.2"),
        ("\x00\n.csv", ".csv", "table"),
        ("..", "..", "table"),
        ("", "table", "table"),
        ("x" * 300 + ".csv", "x" * 116 + ".csv", "x" * 116),
    ],
)
def test_names_are_made_safe_to_show(source: str, file: str, name: str) -> None:
    assert file_name(source) == file
    assert dataset_name(source) == name


def test_a_query_makes_the_next_version_which_knows_its_parent(datasets: Datasets, churn: Path) -> None:
    first = datasets.add(churn)
    datasets.set_roles(first.id, {"tenure": Role.GROUP})
    made = datasets.derive(first.id, "SELECT * FROM dataset WHERE tenure < 10;")
    assert (made.name, made.version, made.rows, made.parent) == ("churn", 2, 10, first.id)
    assert (made.query, made.format) == ("SELECT * FROM dataset WHERE tenure < 10;", "sql")
    assert datasets.frame(made.id)["tenure"].to_list() == list(range(10))
    assert datasets.path(made.id).stat().st_size == made.size
    assert datasets.derive(first.id, "FROM dataset", "other name").name == "other name"
    with pytest.raises(QueryError, match="no rows"):
        datasets.derive(first.id, "FROM dataset WHERE false")
    assert len(datasets.list_()) == 3


def test_what_users_say_of_columns_is_kept_for_later_versions(datasets: Datasets, churn: Path) -> None:
    first = datasets.add(churn)
    guessed = first.schema.columns[1].role
    said = datasets.set_roles(first.id, {"tenure": Role.GROUP, "churn": guessed})
    assert said.roles == {"tenure": Role.GROUP}
    assert (said.role("tenure"), said.role("churn"), said.role("none")) == (Role.GROUP, guessed, None)
    assert datasets.add(churn).roles == {"tenure": Role.GROUP}
    assert datasets.set_roles(first.id, {}).roles == {}
    with pytest.raises(UnknownColumn, match="'nothing'"):
        datasets.set_roles(first.id, {"nothing": Role.GROUP})


def test_a_page_tells_of_each_version_and_of_how_many_there_are(
    datasets: Datasets, churn: Path, tmp_path: Path
) -> None:
    (tmp_path / "Other.csv").write_text("x,y\n1,2\n3,4\n")
    first = datasets.add(churn)
    other = datasets.add(tmp_path / "Other.csv", project="p", owner="ada")
    second = datasets.add(churn)
    datasets.delete(datasets.add(churn, "gone").id)
    lines, total = datasets.page()
    assert ([each.id for each in lines], total) == ([second.id, other.id, first.id], 3)
    one = lines[1]
    assert (one.source, one.format, one.project, one.owner) == ("Other.csv", "csv", "p", "ada")
    assert (one.rows, one.columns, one.size, one.created_at) == (2, 2, other.size, other.created_at)
    lines, total = datasets.page(limit=1, offset=2)
    assert ([each.id for each in lines], total) == ([first.id], 3)
    assert datasets.page(offset=7) == ((), 3)
    assert [each.id for each in datasets.page(["p"], "OTHER")[0]] == [other.id]
    assert datasets.page([], "other") == ((), 0)


def test_lists_show_the_newest_version_of_each_name_without_its_columns(
    datasets: Datasets, churn: Path, tmp_path: Path
) -> None:
    (tmp_path / "Other.csv").write_text("x,y\n1,2\n3,4\n")
    first, other = datasets.add(churn), datasets.add(tmp_path / "Other.csv")
    second = datasets.add(churn)
    datasets.delete(datasets.add(churn, "gone").id)
    shown = datasets.entries()
    assert [(each.id, each.version) for each in shown] == [(second.id, 2), (other.id, 1)]
    assert (shown[1].rows, shown[1].columns, shown[1].size) == (2, 2, other.size)
    every = datasets.entries(every_version=True)
    assert [each.id for each in every] == [second.id, first.id, other.id]
    assert [each.id for each in datasets.entries(limit=1, offset=1)] == [other.id]
    assert [each.id for each in datasets.entries(text="OTHER")] == [other.id]
    assert datasets.entries(projects=["elsewhere"]) == ()
    totals = datasets.totals()
    assert (totals.datasets, totals.names, totals.rows) == (3, 2, 2 * first.rows + 2)
    assert datasets.totals(text="none").rows == 0
    assert [each.version for each in datasets.versions("churn")] == [2, 1]
