"""How columns of text were written is remembered."""

from __future__ import annotations

import polars as pl
import pytest

from flowml.storage.canonical import settle
from flowml.storage.reading import Reading
from flowml.storage.records import COMMA_DECIMALS, COMMA_THOUSANDS
from flowml.storage.schema import infer

WRITTEN: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "plain numbers": (["1", "2.5"], ()),
    "words": (["a,b", "c"], ()),
    "grouped thousands": (["1,234", "2,500.5", "7"], (COMMA_THOUSANDS,)),
    "decimal commas": (["1,5", "2", "1.234,25"], (COMMA_DECIMALS,)),
    "days as the standard says": (["2020-01-02", "2020-01-03"], ()),
    "German days": (["02.01.2020", "", "13.01.2020"], ("%d.%m.%Y",)),
    "months first": (["01/02/2020", "12/31/2020"], ("%m/%d/%Y",)),
    "days first": (["01/02/2020", "31/12/2020"], ("%d/%m/%Y",)),
    "with a clock": (["1/2/2020 1:30 PM", "12/31/2020 2:00 AM"], ("%m/%d/%Y %I:%M %p",)),
    "two ways": (["01.02.2020", "1 Mar 2020", "02.02.2020"], ("%d.%m.%Y", "%d %b %Y")),
    "hours of the day": (["1:30 PM", "2:00 AM"], ("%I:%M %p",)),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_ways_of_writing_are_in_the_schema(kind: str) -> None:
    texts, ways = WRITTEN[kind]
    table = settle(Reading(pl.DataFrame({"0": texts}), ("x",), typed=False))
    schema = infer(table.frame, table.notes, table.written)
    assert schema.columns[0].written == ways
