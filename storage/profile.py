"""Looks through a stored table: counts, spreads, frequent values, repeated rows, associations.

The file is streamed, a few columns at a time, and may be larger than memory. Counts are of all rows;
quantiles and associations of large tables come from an even sample, as the record says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from flowml.storage import sample
from flowml.storage.histograms import histogram
from flowml.storage.looks import Look, looks_of
from flowml.storage.records import ColumnProfile, Json, Profile
from flowml.storage.relations import relations
from flowml.storage.tops import top_values

TOGETHER = 40  # columns that are read in one pass
COUNTED_ROWS = 50_000_000  # up to here distinct values and rows are counted; hashes are kept meanwhile
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def profile(path: Path) -> Profile:
    lazy = pl.scan_parquet(path, glob=False)
    rows = sample.count_rows(path)
    looks = looks_of(lazy.collect_schema())
    drawn = sample.sample(path)
    columns = tuple(
        _column(lazy, look, numbers, drawn, rows)
        for part in _parts(looks)
        for look, numbers in zip(part, _numbers(lazy, part), strict=True)
    )
    related, associations = relations(drawn)
    return Profile(
        rows=rows,
        size=path.stat().st_size,
        columns=columns,
        sampled=drawn.height,
        duplicates=0 if _one_differs(columns, rows) else _duplicates(lazy, looks, rows),
        associations=associations,
        related=related,
    )


def work(request: Json) -> Json:
    """{"path"} → the profile, for `apart`."""
    return profile(Path(request["path"])).to_dict()


def _parts(looks: Sequence[Look]) -> Iterator[Sequence[Look]]:
    for start in range(0, len(looks), TOGETHER):
        yield looks[start : start + TOGETHER]


def _numbers(lazy: pl.LazyFrame, looks: Sequence[Look]) -> list[Json]:
    """What one pass over some columns counts of each."""
    wanted = [
        expression.alias(f"{place}:{name}")
        for place, look in enumerate(looks)
        for name, expression in look.measures().items()
    ]
    counted = lazy.select(wanted).collect(engine="streaming").row(0, named=True) if wanted else {}
    found: list[Json] = [{} for _ in looks]
    for key, value in counted.items():
        place, _, name = key.partition(":")
        found[int(place)][name] = value
    return found


def _column(lazy: pl.LazyFrame, look: Look, numbers: Json, drawn: pl.DataFrame, rows: int) -> ColumnProfile:
    known = drawn[look.name].drop_nulls()
    distinct, exact = _distinct(lazy, look, rows)
    quantiles = look.quantiles(known, QUANTILES)
    bars = histogram(lazy, look, numbers, quantiles)
    top = top_values(lazy, look, known, distinct)
    return ColumnProfile(
        column=look.name,
        kind=look.kind,
        distinct=distinct,
        exact=exact,
        quantiles={str(share): value for share, value in quantiles.items()},
        top=top.values,
        top_counts=top.counts,
        **vars(bars),
        **look.told(numbers),
    )


def _distinct(lazy: pl.LazyFrame, look: Look, rows: int) -> tuple[int, bool]:
    """How many different values there are, and whether they were counted.

    It is their hashes that are counted: two of ten million values share one in one of 300,000 columns.
    """
    if look.kind == "other":
        return 0, True
    values = look.raw.drop_nulls()
    if rows > COUNTED_ROWS:
        return int(lazy.select(values.approx_n_unique()).collect(engine="streaming").item()), False
    return lazy.select(values.hash()).collect(engine="streaming").to_series().n_unique(), True


def _one_differs(columns: Sequence[ColumnProfile], rows: int) -> bool:
    """Whether some column has a value of its own in each row."""
    return any(column.exact and column.distinct == rows for column in columns)


def _duplicates(lazy: pl.LazyFrame, looks: Sequence[Look], rows: int) -> int | None:
    plain = [look.raw for look in looks if look.kind != "other"]
    if not plain or rows > COUNTED_ROWS or len(plain) < len(looks):
        return None
    hashes = lazy.select(pl.struct(plain).hash().alias("row")).collect(engine="streaming").to_series()
    return rows - hashes.n_unique()
