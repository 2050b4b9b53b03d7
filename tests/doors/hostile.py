"""HOSTILE: tables as nobody should send them, and what is said of each.

All are meant for the columns of `mixed_table`: age, income, member (numbers), city, plan (categories),
joined, seen (dates), note (text).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from flowml.storage.records import Json

USUAL: Json = {
    "age": 41,
    "income": 20_000.5,
    "member": True,
    "city": "Berlin",
    "plan": "free",
    "joined": "2019-05-17",
    "seen": "2001-09-09T01:46:40",
    "note": "good refund ever",
}
TOKYO, BERLIN = dt.timezone(dt.timedelta(hours=9)), dt.timezone(dt.timedelta(hours=1))
DAY, MOMENT = dt.date(2019, 5, 17), dt.datetime(2001, 9, 9, 1, 46, 40)


@dataclass(frozen=True)
class Hostile:
    """`told`: for each column that there is a warning about, a part of what it says. `refused`: there is no
    answer but an error of ours. `text` is False where a text file cannot hold it; `only` names the one door
    that it can come through, `not_by` those that it cannot.
    """

    rows: Callable[[], Any]
    told: dict[str, str]
    refused: bool = False
    text: bool = True
    only: str = ""
    not_by: tuple[str, ...] = ()  # doors that cannot be asked so


def row(**cells: Any) -> Callable[[], list[Json]]:
    """Two usual rows and one with these cells between them."""
    return lambda: [USUAL, {**USUAL, **cells}, USUAL]


def polars(**columns: pl.Series) -> Callable[[], pl.DataFrame]:
    def make() -> pl.DataFrame:
        height = len(next(iter(columns.values())))
        return pl.DataFrame([USUAL] * height).with_columns(**columns)

    return make


def pandas(**columns: Any) -> Callable[[], pd.DataFrame]:
    def make() -> pd.DataFrame:
        height = len(next(iter(columns.values())))
        return pd.DataFrame([USUAL] * height).assign(**columns)

    return make


HOSTILE: dict[str, Hostile] = {
    # numbers
    "a number as text": Hostile(row(age="12"), {"age": "text read as a number"}),
    "a number between blanks": Hostile(row(age=" 12\t"), {"age": "text read as a number"}),
    "a decimal comma": Hostile(row(income="1234,5"), {"income": "decimal comma"}),
    "grouped thousands": Hostile(row(income="1,234,567.5"), {"income": "grouped thousands"}),
    "groups and a decimal comma": Hostile(row(income="1.234.567,5"), {"income": "decimal comma"}),
    "a comma of either kind": Hostile(row(income="1,234"), {"income": "two numbers"}),
    "a word for a number": Hostile(row(age="twelve"), {"age": "no number"}),
    "a unit": Hostile(row(age="12 years"), {"age": "no number"}),
    "digits of another script": Hostile(row(age="١٢"), {"age": "no number"}),
    "missing where it never was": Hostile(row(age=None), {"age": "never was"}),
    "a word for no value": Hostile(row(age="unknown", income="n/a"), {"age": "never was"}),
    "infinities": Hostile(row(age=np.inf, income=-np.inf), {"age": "infinite", "income": "infinite"}),
    "infinity as text": Hostile(row(income="Infinity"), {"income": "infinite"}),
    "not a number": Hostile(row(income=float("nan"), age=np.float32("nan")), {"age": "never was"}),
    "huge numbers": Hostile(row(age=1e300, income=-1e39), {"age": "beyond", "income": "beyond"}),
    "an endless whole number": Hostile(row(age=10**400), {"age": ""}),
    "tiny numbers": Hostile(row(age=5e-324, income=-0.0), {}),
    "true for a number": Hostile(row(age=True, income=False), {"age": "", "income": ""}),
    "0 and 1 for a truth value": Hostile(row(member=0), {}),
    "a word for a truth value": Hostile(row(member="Yes"), {}),
    "a complex number": Hostile(row(age=1j), {"age": "no number"}, text=False),
    "a decimal": Hostile(row(income=Decimal("1234.5678")), {}),
    "a decimal that is none": Hostile(row(income=Decimal("NaN")), {}),
    "a duration for a number": Hostile(row(age=dt.timedelta(minutes=2)), {"age": "duration"}),
    "scalars of numpy": Hostile(
        row(
            age=np.int8(7),
            income=np.float32(0.1),
            member=np.bool_(True),
            city=np.str_("Bonn"),
            seen=np.datetime64("2020-01-01T00:00:00.123456789"),
        ),
        {},
    ),
    "a date for a number": Hostile(row(age=DAY), {"age": "no number"}),
    # categories
    "unseen categories": Hostile(row(city="Atlantis", plan="gold"), {"city": "not seen", "plan": "not seen"}),
    "another case": Hostile(row(city="BERLIN"), {"city": "not seen"}),
    "blanks around a category": Hostile(row(city="  Berlin ", plan="free\n"), {}),
    "spellings of nothing": Hostile(row(city="nan", plan="NA"), {"plan": "never was"}),
    "nothing but a blank": Hostile(row(city=" ", plan=""), {"plan": "never was"}),
    "a number for a category": Hostile(row(city=7, plan=1.5), {"city": "not seen", "plan": "not seen"}),
    "true for a category": Hostile(row(plan=True), {"plan": "not seen"}),
    "a list in a cell": Hostile(row(plan=["free"]), {"plan": "no text"}, text=False),
    "a dict in a cell": Hostile(row(plan={"a": 1}, age={"b": 2}), {"plan": "", "age": ""}, text=False),
    "bytes": Hostile(row(age=b"12", city=b"Bonn", note=b"late \xff"), {"age": "text read as a number"}),
    "half of a character": Hostile(row(city="\ud800", note="\udfff late"), {"city": "not seen"}),
    "a character that ends texts": Hostile(row(city="a\0b", note="good\0 late"), {"city": ""}, text=False),
    "an endless category": Hostile(row(city="x" * 10_000), {"city": "not seen"}),
    "what looks like a formula": Hostile(row(city="=1+1", note="@late;'\""), {"city": "not seen"}),
    # dates
    "no date": Hostile(row(joined=None, seen=None), {"joined": "never was"}),
    "no such day": Hostile(row(joined="2023-02-29", seen="2024-13-01T00:00"), {"joined": "", "seen": ""}),
    "a day that there was": Hostile(row(joined="2024-02-29"), {}),
    "another time zone": Hostile(
        row(joined="2024-01-01T00:00:00+14:00", seen="2024-01-01T00:00:00Z"), {"joined": "UTC", "seen": "UTC"}
    ),
    "dates that know their zone": Hostile(
        row(seen=dt.datetime(2020, 1, 1, tzinfo=TOKYO)), {"seen": "time zone"}
    ),
    "a number for a date": Hostile(row(joined=1_700_000_000, seen=12.5), {"joined": "", "seen": ""}),
    "a date as Germans write it": Hostile(row(joined="17.5.2019 13:30"), {"joined": "text read as a date"}),
    "a date with one reading": Hostile(row(joined="17/5/2019"), {"joined": "text read as a date"}),
    "a date with two readings": Hostile(row(joined="3/4/2019"), {"joined": "two dates"}),
    "a date in words": Hostile(row(joined="May 17, 2019"), {"joined": "text read as a date"}),
    "the first and the last day": Hostile(row(joined="0001-01-01", seen="9999-12-31T23:59:59"), {}),
    "beyond the last day": Hostile(row(joined="10000-01-01"), {"joined": "no date"}),
    # text
    "a number for text": Hostile(row(note=17), {}),
    "text without end": Hostile(row(note="good GOOD bad! \n\t late " * 500), {}),
    "pictures": Hostile(row(note="🙂🙂 late"), {}),
    # columns
    "columns in another order": Hostile(lambda: [dict(reversed(USUAL.items()))], {}),
    "columns that are missing": Hostile(
        lambda: [{"age": 41, "note": "late"}] * 2,
        dict.fromkeys(("income", "member", "city", "plan", "joined", "seen"), "did not come"),
    ),
    "columns that nobody knows": Hostile(
        row(extra=1, another=["x"]), {"extra": "", "another": ""}, text=False
    ),
    "the target as well": Hostile(row(score="yes"), {}),
    "names between blanks": Hostile(lambda: [{f" {name}\n": cell for name, cell in USUAL.items()}], {}),
    "rows of different columns": Hostile(
        lambda: [USUAL, {"age": 1}, {"city": "Bonn", "x": 2}],
        {"age": "never was", "plan": "never was", "joined": "never was", "x": "not known"},
    ),
    "no rows": Hostile(list, {}, only="Python"),
    "columns without rows": Hostile(
        lambda: pl.DataFrame([USUAL]).clear(),
        {},
        not_by=("bare onnxruntime",),  # which asks for a row at least
    ),
    "no column that is known": Hostile(lambda: [{"x": 1}], {}, refused=True),
    "a row without columns": Hostile(lambda: [{}], {}, refused=True),
    "two columns of one name": Hostile(
        lambda: pd.DataFrame([[1, 2]], columns=["age", "age"]), {}, refused=True, only="Python"
    ),
    "an array": Hostile(lambda: np.ones((2, 8)), {}, refused=True, only="Python"),
    # types of libraries
    "nullable types of pandas": Hostile(
        pandas(
            age=pd.array([30, 40], dtype="Int64"),
            income=pd.array([1.5, None], dtype="Float64"),
            member=pd.array([True, None], dtype="boolean"),
            city=pd.array(["Bonn", None], dtype="string"),
        ),
        {},
    ),
    "categories of pandas": Hostile(
        pandas(city=pd.Categorical(["Bonn", None]), plan=pd.Categorical(["free", "gold"])),
        {"plan": "not seen"},
    ),
    "mixed objects of pandas": Hostile(
        pandas(
            age=pd.Series([1, "2"], dtype=object),
            city=pd.Series(["Bonn", 3], dtype=object),
            joined=pd.Series([DAY, "x"], dtype=object),
        ),
        {"age": "text", "city": "not seen", "joined": "no date"},
    ),
    "dates of pandas": Hostile(
        pandas(
            joined=pd.to_datetime(["2020-01-01", None]),
            seen=pd.to_datetime(["2020-01-01", "2021-01-01"]).tz_localize("Asia/Tokyo"),
        ),
        {"joined": "never was", "seen": "time zone"},
    ),
    "periods and intervals of pandas": Hostile(
        pandas(
            age=pd.interval_range(0, 2, periods=2),
            joined=pd.period_range("2020-01", periods=2, freq="M"),
            plan=pd.arrays.SparseArray(["free", "plus"]),
        ),
        {"age": "no number", "joined": "no date"},
        text=False,
    ),
    "small numbers of polars": Hostile(
        polars(
            age=pl.Series([1, 2], dtype=pl.UInt8),
            income=pl.Series([0.1, None], dtype=pl.Float32),
            member=pl.Series([0, 1], dtype=pl.Int8),
        ),
        {},
    ),
    "large numbers of polars": Hostile(polars(age=pl.Series([2**63 + 1, 2], dtype=pl.UInt64)), {}),
    "decimals of polars": Hostile(
        polars(income=pl.Series([Decimal("1234.5678"), None], dtype=pl.Decimal(20, 4))), {}
    ),
    "categories of polars": Hostile(
        polars(
            city=pl.Series(["Bonn", "Oz"], dtype=pl.Categorical),
            plan=pl.Series(["free", "pro"], dtype=pl.Enum(["pro", "free"])),
        ),
        {"city": "not seen"},
    ),
    "durations and times of polars": Hostile(
        polars(
            age=pl.Series([dt.timedelta(seconds=90), dt.timedelta(days=3)]),
            income=pl.Series([dt.time(1, 2, 3), dt.time(23, 59, 59)]),
        ),
        {"age": "duration", "income": "no number"},
    ),
    "dates of polars": Hostile(
        polars(
            joined=pl.Series([MOMENT] * 2, dtype=pl.Datetime("ms")),
            seen=pl.Series([MOMENT] * 2, dtype=pl.Datetime("ns", "Europe/Berlin")),
        ),
        {"seen": "time zone"},
    ),
    "all as text": Hostile(
        lambda: pl.DataFrame([USUAL] * 2).select(pl.all().cast(pl.String)),
        {"age": "text", "income": "text"},
    ),
    "columns of nothing": Hostile(
        lambda: pl.DataFrame([USUAL] * 2).with_columns(age=None, city=None, joined=None, note=None),
        {"age": "never was", "joined": "never was"},
    ),
    "lists and records of polars": Hostile(
        polars(age=pl.Series([[1], [2, 3]]), plan=pl.Series([{"x": 1}, {"x": 2}])),
        {"age": "no number", "plan": "no text"},
        text=False,
    ),
    "bytes of polars": Hostile(
        polars(city=pl.Series([b"Bonn", b"Oz"]), age=pl.Series([b"1", b"x"])), {"age": "", "city": ""}
    ),
    "a table of Arrow": Hostile(
        lambda: pa.Table.from_pylist([USUAL] * 2).set_column(
            3, "city", pa.array(["Bonn", "Oz"]).dictionary_encode()
        ),
        {"city": "not seen"},
    ),
}
