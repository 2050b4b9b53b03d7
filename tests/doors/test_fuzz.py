"""Any single row at all is answered, or refused with an error of ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from flowml.automl.contract import Contract, Kind
from flowml.automl.problem import Feature
from flowml.storage.records import COMMA_THOUSANDS, Role, Task
from tests.automl.conftest import FEATURES, mixed_table

ROWS = 5_000


class Rude:
    """Its methods raise what they like."""

    def __eq__(self, _: object) -> bool:
        raise ZeroDivisionError

    def __hash__(self) -> int:
        raise ArithmeticError

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__
    __bool__ = __len__ = __hash__  # type: ignore[assignment]


class RudeText(str):
    def strip(self, *_: Any) -> str:
        raise LookupError


ODD: dict[str, Callable[[], Any]] = {
    "rude": Rude,
    "rude text": lambda: RudeText("x"),
    "a class": lambda: Rude,
    "a function": lambda: len,
    "void": lambda: np.void(b"ab"),
    "an array": lambda: np.ones(3),
    "NA": lambda: pd.NA,
    "NaT": lambda: pd.NaT,
    "the last moment": lambda: pd.Timestamp.max,
    "a moment elsewhere": lambda: pd.Timestamp("2020-01-01", tz="Asia/Tokyo"),
    "three days": lambda: pd.Timedelta("3D"),
    "a year": lambda: pd.Period("2020"),
}
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.decimals(),
    st.fractions(),
    st.text(max_size=12),
    st.text("0123456789.,:-/+eE TZ", max_size=14),
    st.binary(max_size=6),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.datetimes(),
    st.datetimes(timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=-3, minutes=7))])),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.integers(-(2**62), 2**62).map(lambda n: np.datetime64(n, "us")),
    st.integers(-(2**31), 2**31).map(lambda n: np.datetime64(n, "Y")),
    st.integers().map(lambda n: np.timedelta64(n % 2**60, "ns")),
    st.sampled_from(sorted(ODD)).map(lambda name: ODD[name]()),
    st.sampled_from(["12", " 1.5", "1,5", "1,234", "yes", "Bonn", "nan", "2024-02-29", "3/4/2020 1:05 PM"]),
)
NAMES = [feature.name for feature in FEATURES]
KEYS = st.sampled_from([*NAMES, *NAMES, " age ", "extra", "", "city.x"]) | st.text(max_size=3)


@pytest.fixture(scope="module")
def contract() -> Contract:
    written = {"income": (COMMA_THOUSANDS,), "joined": ("%d/%m/%Y",)}
    features = [Feature(f.name, f.role, f.type, written.get(f.name, ())) for f in FEATURES]
    return Contract.learn(mixed_table(), features, task=Task.BINARY, target="score", classes=("no", "yes"))


@settings(max_examples=ROWS, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(row=st.dictionaries(KEYS, CELLS, max_size=4))
def test_any_row_is_answered(contract: Contract, row: dict[str, Any]) -> None:
    feeds, warnings = contract.accept_row({"age": 1} | row)
    for column in contract.columns:
        fed = feeds[column.feed]
        assert fed.shape == (1, 1)
        if column.kind in (Kind.STRING, Kind.TEXT):
            fed[0, 0].encode()
        elif column.kind is Kind.NUMBER:
            assert not np.isinf(fed).any()
    assert all(str(warning) for warning in warnings)


def test_roles_of_all_kinds_are_among_them(contract: Contract) -> None:
    assert {column.kind for column in contract.columns} == set(Kind)
    assert {column.role for column in contract.columns} >= {Role.NUMERIC, Role.BOOLEAN, Role.CATEGORICAL}
