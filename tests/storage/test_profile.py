"""The profile of a stored table, on small real files."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flowml.storage import profile as profiles
from flowml.storage import sample, tops
from flowml.storage.errors import BadTarget, UnknownColumn
from flowml.storage.profile import profile
from flowml.storage.records import ColumnProfile, Profile
from flowml.storage.relations import with_target


def written(folder: Path, frame: pl.DataFrame) -> Path:
    path = folder / "table.parquet"
    frame.write_parquet(path)
    return path


def column(found: Profile, name: str) -> ColumnProfile:
    return next(each for each in found.columns if each.column == name)


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    chance = np.random.default_rng(1)
    rows = 1000
    age = chance.normal(40, 10, rows)
    return pl.DataFrame(
        {
            "age": age,
            "weight": age * 2 + chance.normal(0, 1, rows),
            "count": chance.integers(0, 5, rows),
            "city": chance.choice(["Ulm", "Bonn"], rows, p=[0.75, 0.25]),
            "day": [dt.date(2024, 1, 1) + dt.timedelta(days=int(n)) for n in chance.integers(0, 100, rows)],
            "remark": [f"words of {n}" for n in range(rows)],
            "old": age > 40,
            "parts": [[1, 2]] * rows,
        }
    ).with_columns(pl.when(pl.int_range(pl.len()) >= 100).then("age"))


def test_each_kind_of_column_is_measured(table: pl.DataFrame, tmp_path: Path) -> None:
    found = profile(written(tmp_path, table))
    age, city, day, remark = (column(found, name) for name in ("age", "city", "day", "remark"))
    known = table["age"].drop_nulls()
    assert (found.rows, found.sampled, len(found.columns)) == (1000, 1000, 8)
    assert (age.missing, age.distinct, age.exact, age.zeros, age.negative) == (100, 900, True, 0, 0)
    assert (age.minimum, age.maximum, age.mean) == (known.min(), known.max(), pytest.approx(known.mean()))
    assert age.quantiles["0.5"] == pytest.approx(known.median(), rel=0.01)
    assert sum(age.histogram) == 900
    assert (city.distinct, city.top) == (2, ("Ulm", "Bonn"))
    assert sum(city.top_counts) == 1000
    assert day.minimum == str(table["day"].min())
    assert sum(day.histogram) == 1000
    assert (remark.distinct, remark.length_least, remark.length_most) == (1000, 10, 12)
    assert column(found, "parts").kind == "other"
    assert Profile.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False))) == found


def test_what_belongs_together_is_found(table: pl.DataFrame, tmp_path: Path) -> None:
    found = profile(written(tmp_path, table))
    pairs = {(each.column, each.other): each for each in found.associations}
    assert pairs["age", "weight"].measure == "spearman"
    assert pairs["age", "weight"].value > 0.95
    assert pairs["age", "old"].measure == "correlation_ratio"
    assert pairs["age", "old"].value > 0.7
    assert ("age", "count") not in pairs
    assert "remark" not in found.related


def test_repeated_rows_are_counted(table: pl.DataFrame, tmp_path: Path) -> None:
    plain = table.drop("parts")
    assert profile(written(tmp_path, pl.concat([plain, plain.head(70)]))).duplicates == 70
    assert profile(written(tmp_path, table)).duplicates == 0  # each remark is another
    assert profile(written(tmp_path, table.select("city", "parts"))).duplicates is None


def test_a_far_out_value_does_not_press_the_histogram_into_one_bin(tmp_path: Path) -> None:
    values = [*np.random.default_rng(0).normal(0, 1, 2000).tolist(), 1e9, -1e9, -1e8]
    (found,) = profile(written(tmp_path, pl.DataFrame({"a": values}))).columns
    assert (found.below, found.above) == (2, 1)
    assert sum(count > 0 for count in found.histogram) > 10
    assert (found.minimum, found.maximum) == (-1e9, 1e9)


def test_names_that_look_like_patterns_are_names(tmp_path: Path) -> None:
    frame = pl.DataFrame({"*": [1, 2], "^.*$": ["a", "b"], "a:b": [True, None], "": [1.0, None]})
    found = profile(written(tmp_path, frame))
    assert [each.column for each in found.columns] == frame.columns
    assert [each.missing for each in found.columns] == [0, 0, 1, 1]


@pytest.mark.parametrize("held", [10_000, 2_000, 100], ids=["at once", "in parts", "from the file"])
def test_large_tables_are_sampled_and_say_so(
    held: int, table: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "MOST_ROWS", 300)
    monkeypatch.setattr(sample, "LEAST_ROWS", 300)
    monkeypatch.setattr(sample, "CELLS", 300)
    monkeypatch.setattr(profiles, "COUNTED_ROWS", 100)
    monkeypatch.setattr(profiles, "FEW", 200)
    monkeypatch.setattr(profiles, "CELLS", held)
    monkeypatch.setattr(tops, "COUNTABLE", 1)
    path = written(tmp_path, table)
    drawn = sample.sample(path)
    assert 200 < drawn.height < 400
    assert drawn.equals(sample.sample(path))
    found = profile(path)
    assert (found.rows, found.sampled) == (1000, drawn.height)
    assert found.duplicates == 0  # each remark is another, which is counted
    age, city = column(found, "age"), column(found, "city")
    assert not age.exact
    assert age.distinct == pytest.approx(900, rel=0.05)
    assert age.quantiles["0.5"] == pytest.approx(drawn["age"].drop_nulls().median(), rel=0.01)
    assert (age.mean, sum(age.histogram)) == (pytest.approx(table["age"].mean()), 900)
    assert (city.distinct, city.exact, city.top_counts) == (2, True, column(profile(path), "city").top_counts)
    assert sum(city.top_counts) == 1000


def test_repeated_rows_of_large_tables_are_counted(
    table: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "COUNTED_ROWS", 100)
    monkeypatch.setattr(profiles, "FEW", 200)
    plain = table.drop("parts")
    path = written(tmp_path, pl.concat([plain, plain.head(7)]))
    assert profile(path).duplicates == 7
    monkeypatch.setattr(profiles, "HASHED_ROWS", 500)
    assert profile(path).duplicates is None


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"a": pl.Series([], dtype=pl.Int64), "b": pl.Series([], dtype=pl.String)}),
        pl.DataFrame({"a": pl.Series([None] * 3, dtype=pl.Float64)}),
        pl.DataFrame({"a": pl.Series([None] * 3, dtype=pl.String)}),
        pl.DataFrame({"a": [float("nan"), float("inf"), 1.0]}),
        pl.DataFrame({"a": [2**62, -(2**62)]}),
        pl.DataFrame({"a": [1e308, -1e308]}),
        pl.DataFrame({"a": [dt.time(1), dt.time(2)], "b": [dt.timedelta(1), None]}),
        pl.DataFrame({"a": [dt.datetime(2024, 1, 1, tzinfo=dt.UTC), None]}),
        pl.DataFrame({"a": [b"x", None], "b": [[1], None]}),
        pl.DataFrame({"a": ["x" * 10_000, None]}),
    ],
    ids=lambda frame: str(frame.schema),
)
def test_odd_tables_are_measured_too(frame: pl.DataFrame, tmp_path: Path) -> None:
    json.dumps(profile(written(tmp_path, frame)).to_dict(), allow_nan=False)


def test_columns_are_ranked_by_what_they_tell_of_a_target(table: pl.DataFrame, tmp_path: Path) -> None:
    path = written(tmp_path, table)
    found = {each.column: each for each in with_target(path, "old")}
    assert found["weight"].auc is not None
    assert found["weight"].auc > 0.9
    assert found["city"].auc == pytest.approx(0.5, abs=0.05)
    assert found["weight"].mutual_information > 0.5 > 0.02 > found["count"].mutual_information
    assert next(iter(found)) in ("age", "weight")
    numbers = {each.column: each for each in with_target(path, "age")}
    assert numbers["weight"].power > 0.9
    assert numbers["weight"].auc is None


def test_a_target_that_cannot_be_is_refused(table: pl.DataFrame, tmp_path: Path) -> None:
    path = written(tmp_path, table)
    with pytest.raises(UnknownColumn):
        with_target(path, "nothing")
    for name in ("parts", "remark", "day"):
        with pytest.raises(BadTarget):
            with_target(path, name)


def test_of_words_that_occur_as_often_the_same_are_told() -> None:
    words = pl.Series("value", [f"word {n}" for n in range(3000) for _ in range(2)])
    told = [
        tops._leading(words.sample(fraction=1, shuffle=True, seed=seed).value_counts(name="count"), 5)
        for seed in range(4)
    ]
    assert [each["value"].to_list() for each in told] == [sorted(words.unique())[:5]] * 4
