"""Each column here has the role and the reason that a careful reader of the table would give."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Sequence

import polars as pl
import pytest

from flowml.storage.records import Role
from flowml.storage.roles import guess
from flowml.storage.statistics import describe

ROWS = 200
chance = random.Random(0)
NUMBERS = [chance.randrange(1_000, 90_000) for _ in range(ROWS)]
WORDS = [
    "a",
    "the",
    "service",
    "was",
    "good",
    "bad",
    "very",
    "and",
    "food",
    "again",
    "never",
    "slow",
    "friendly",
]
UUIDS = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(ROWS)]
COUNT = list(range(ROWS))
SHUFFLED = chance.sample(COUNT, ROWS)

THINGS = [
    f"{one}{other}"
    for one in ("red", "oak", "sun", "sea", "tea")
    for other in ("wood", "cup", "hat", "lid", "mat")
]

COLUMNS: dict[str, tuple[str, Sequence[object], Role, str]] = {
    "amounts": ("amount", NUMBERS, Role.NUMERIC, "distinct whole numbers from"),
    "few whole numbers": (
        "rooms",
        [n % 5 for n in NUMBERS],
        Role.NUMERIC,
        "5 distinct whole numbers from 0 to 4",
    ),
    "a flag": ("female", [n % 2 for n in NUMBERS], Role.NUMERIC, "a flag"),
    "fractions": ("weight", [n / 7 for n in NUMBERS], Role.NUMERIC, "distinct numbers from"),
    "a moment in every row": (
        "made",
        [dt.datetime(2024, 1, 2, 10, tzinfo=dt.UTC)] * ROWS,
        Role.CONSTANT,
        "every row has the same value, 2024-01-02 10:00:00+00:00",
    ),
    "one number or none": ("bonus", [7, None] * 100, Role.NUMERIC, "one number, 7, or missing"),
    "truth": ("member", [True, False] * 100, Role.BOOLEAN, "true and false"),
    "yes and no": ("churn", ["Yes", "No"] * 100, Role.BOOLEAN, "two values, No and Yes"),
    "two words": ("sex", ["male", "female"] * 100, Role.CATEGORICAL, "2 distinct values"),
    "kinds": ("city", [f"city {n % 30}" for n in NUMBERS], Role.CATEGORICAL, "30 distinct values"),
    "many kinds": (
        "cabin",
        [f"C{n % 90}" for n in NUMBERS],
        Role.CATEGORICAL,
        "distinct values over 200 rows",
    ),
    "one word or none": ("note", ["vip", None] * 100, Role.CATEGORICAL, "one value, 'vip', or missing"),
    "days": (
        "since",
        [dt.date(2020, 1, 1) + dt.timedelta(n) for n in COUNT],
        Role.DATETIME,
        "dates from 2020-01-01",
    ),
    "clock": ("opens", [dt.time(n % 24) for n in COUNT], Role.NUMERIC, "times of the day"),
    "texts": (
        "review",
        [" ".join(chance.choices(WORDS, k=9)) for _ in range(ROWS)],
        Role.TEXT,
        "texts of 9 words on average",
    ),
    "names of people": ("name", [f"Braund, Mr. Owen {n}" for n in COUNT], Role.TEXT, "words on average"),
    "short texts": ("remark", [f"came at {n} o'clock" for n in COUNT[:30]], Role.TEXT, "words on average"),
    "nothing": ("empty", [None] * ROWS, Role.CONSTANT, "no value in any row"),
    "one value": ("country", ["DE"] * ROWS, Role.CONSTANT, "the same value, 'DE'"),
    "lists": ("tags", [["a"]] * ROWS, Role.IGNORED, "lists"),
    "raw bytes": ("photo", [b"x", b"y"] * 100, Role.IGNORED, "Binary"),
    "numbered id": ("PassengerId", [n + 1 for n in COUNT], Role.IDENTIFIER, "name says id"),
    "id of a thing that recurs": (
        "customer_id",
        [n % 80 for n in COUNT],
        Role.IDENTIFIER,
        "may serve as a group",
    ),
    "id of few kinds": ("store_id", [n % 8 for n in COUNT], Role.CATEGORICAL, "name kinds"),
    "id with gaps, as floats": ("id", [float(n) for n in NUMBERS], Role.IDENTIFIER, "name says id"),
    "row numbers": ("row", COUNT, Role.IDENTIFIER, "counts the rows"),
    "shuffled row numbers": ("case", SHUFFLED, Role.IDENTIFIER, "counts the rows"),
    "row numbers of a sample": ("n", [1, *(3 * n for n in COUNT[1:])], Role.IDENTIFIER, "numbers the rows"),
    "unnamed row numbers": ("column_1", [9 * n + 40 for n in COUNT], Role.IDENTIFIER, "has no name"),
    "days that count on": ("day", COUNT, Role.NUMERIC, "distinct whole numbers"),
    "postal codes": ("zipcode", [98_000 + n % 70 for n in COUNT], Role.CATEGORICAL, "name places"),
    "postal codes as text": ("zip", [f"0{n}" for n in COUNT], Role.CATEGORICAL, "distinct values"),
    "uuids": ("ref", UUIDS, Role.IDENTIFIER, "UUID"),
    "uuids that recur": ("session", UUIDS[:60] * 3, Role.IDENTIFIER, "UUID"),
    "hashes": ("commit", [value.replace("-", "")[:20] for value in UUIDS], Role.IDENTIFIER, "hexadecimal"),
    "mails": ("contact", [f"p{n}@example.org" for n in COUNT], Role.IDENTIFIER, "mail addresses"),
    "codes of single rows": ("ticket", [f"A/5 {n}" for n in COUNT], Role.IDENTIFIER, "hardly ever repeat"),
    "titles": (
        "product",
        [f"{THINGS[n % 25]} {THINGS[n // 25]}" for n in COUNT],
        Role.TEXT,
        "whose words recur",
    ),
    "numbers with their kind": (
        "paper",
        [f"paper {n}" for n in COUNT],
        Role.IDENTIFIER,
        "hardly ever repeat",
    ),
    "text id that recurs": ("customerID", [f"K-{n % 90}" for n in COUNT], Role.IDENTIFIER, "name says id"),
    "few rows": ("label", ["x", "y", "z"], Role.CATEGORICAL, "3 distinct values"),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_roles_are_guessed_with_a_reason(kind: str) -> None:
    name, values, role, reason = COLUMNS[kind]
    column = pl.Series(name, values)
    found, said = guess(column, describe(column))
    assert (found, reason in said) == (role, True), said
