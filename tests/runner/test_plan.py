"""Cores are divided by the size of the table, and none is given twice."""

from __future__ import annotations

import pytest

from flowml.runner.plan import Plan, divide

GIB = 2**30


@pytest.mark.parametrize(
    ("rows", "columns", "cores", "memory", "plan"),
    [
        (7_000, 20, 2, 16 * GIB, Plan(2, 1)),
        (300_000, 30, 2, 16 * GIB, Plan(1, 2)),
        (100_000, 20, 16, 64 * GIB, Plan(8, 2)),
        (1_000, 10, 16, 2 * GIB, Plan(3, 5)),
        (1_000, 10, 1, 16 * GIB, Plan(1, 1)),
        (5_000_000, 100, 8, GIB, Plan(1, 8)),
    ],
)
def test_division(rows: int, columns: int, cores: int, memory: int, plan: Plan) -> None:
    assert divide(rows, columns, cores, memory) == plan


def test_a_wish_for_slots_is_followed() -> None:
    assert divide(1_000, 10, 4, 16 * GIB, slots=2) == Plan(2, 2)


def test_no_core_is_given_twice() -> None:
    for cores in (1, 2, 3, 8, 24):
        for rows in (100, 10_000, 1_000_000):
            plan = divide(rows, 30, cores, 64 * GIB)
            assert plan.slots * plan.threads <= cores
