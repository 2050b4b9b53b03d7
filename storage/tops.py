"""The most frequent values of a column, counted over all rows."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from flowml.storage.looks import Look, ask

MOST = 20
MOST_NUMBERS = 200  # numbers with more distinct values have no telling top values
COUNTABLE = 20_000  # up to so many values, each is counted; beyond, those that lead in a sample
LONGEST = 200
RECUR = 2  # times in the sample, for a value to be counted


@dataclass(frozen=True)
class Top:
    values: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()


def top_values(lazy: pl.LazyFrame, rows: int, look: Look, known: pl.Series, distinct: int) -> Top:
    """`known` is a sample of the values, `distinct` how many there are in all."""
    if look.kind not in ("word", "number") or not distinct:
        return Top()
    if look.kind == "number" and (distinct > MOST_NUMBERS or look.dtype.is_temporal()):
        return Top()
    value = look.raw.alias("value")
    if distinct <= COUNTABLE:
        return _top(_counted(lazy.select(value), rows))
    leading = known.alias("value").value_counts(name="count").filter(pl.col("count") >= RECUR)
    candidates = _leading(leading, 2 * MOST)["value"]
    if candidates.is_empty():
        return Top()
    return _top(_counted(lazy.select(value).filter(pl.col("value").is_in(candidates.implode())), rows))


def _counted(values: pl.LazyFrame, rows: int) -> pl.DataFrame:
    return ask(values.drop_nulls().group_by("value").len("count"), rows)


def _leading(counted: pl.DataFrame, most: int) -> pl.DataFrame:
    """Those that occur most often; of equal counts the first by value, so that a table is told alike."""
    often = counted.filter(pl.col("count") >= pl.col("count").top_k(most).min())
    return often.sort(["count", "value"], descending=[True, False]).head(most)


def _top(counted: pl.DataFrame) -> Top:
    """Equal counts in the order of the text."""
    texts = counted.with_columns(pl.col("value").cast(pl.String).str.slice(0, LONGEST))
    first = texts.sort(["count", "value"], descending=[True, False]).head(MOST)
    return Top(tuple(first["value"].to_list()), tuple(first["count"].to_list()))
