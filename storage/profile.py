"""Looks through a stored table: counts, spreads, frequent values, repeated rows, associations.

Some columns are held at a time; of a table with very many rows the file is streamed, and may be larger than
memory. Counts are of all rows; quantiles and associations of large tables come from an even sample, and
many distinct values of large tables are estimated, as the record says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import polars.selectors as cs

from flowml.storage import sample
from flowml.storage.histograms import histogram
from flowml.storage.looks import Look, ask, looks_of
from flowml.storage.records import ColumnProfile, Json, Profile
from flowml.storage.relations import relations
from flowml.storage.statistics import starts
from flowml.storage.tops import top_values

TOGETHER = 200  # columns that are looked at together,
CELLS = 20_000_000  # and their cells, read once and held; of tables with more rows each look reads the file
COUNTED_ROWS = 2_000_000  # up to here distinct values are counted, beyond only if they are few
FEW = 100_000
SHARE, HASHES = 1 / 16, 1_000_000  # of the different values that are counted for an estimate, and at most
HASHED_ROWS = 50_000_000  # up to here repeated rows are counted, by hashes that are kept meanwhile
UNLIKE = 0.95  # share of different values from which on a column may have one for each row,
TRIED = 3  # and how many of such columns are counted to see it
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def profile(path: Path) -> Profile:
    lazy = pl.scan_parquet(path, glob=False)
    rows = sample.count_rows(path)
    looks = looks_of(lazy.collect_schema())
    columns: list[ColumnProfile] = []
    samples: list[pl.DataFrame] = []
    for part, table, drawn in _parts(path, lazy, looks, rows):
        samples.append(drawn)
        for look, numbers in zip(part, _numbers(table.lazy(), part, rows), strict=True):
            columns.append(_column(_alone(table, look), look, numbers, drawn[look.name].drop_nulls(), rows))
    whole = pl.concat(samples, how="horizontal") if samples else pl.DataFrame()
    related, associations = relations(whole)
    return Profile(
        rows=rows,
        size=path.stat().st_size,
        columns=tuple(columns),
        sampled=whole.height,
        duplicates=_duplicates(lazy, looks, columns, rows),
        associations=associations,
        related=related,
    )


def work(request: Json) -> Json:
    """{"path"} → the profile, for `apart`."""
    return profile(Path(request["path"])).to_dict()


def _parts(
    path: Path, lazy: pl.LazyFrame, looks: Sequence[Look], rows: int
) -> Iterator[tuple[Sequence[Look], pl.LazyFrame | pl.DataFrame, pl.DataFrame]]:
    """Some columns at a time: all of their rows, held or to be read, and a sample."""
    held = rows <= CELLS
    chosen = sample.chosen(rows, len(looks)) if held else None
    far = None if held else sample.sample(path)
    together = min(TOGETHER, max(1, CELLS // max(1, rows)))
    for start in range(0, len(looks), together):
        part = looks[start : start + together]
        table = lazy.select(cs.by_name(*(look.name for look in part)))
        if far is not None:
            yield part, table, far.select(cs.by_name(*(look.name for look in part)))
        else:
            frame = table.collect()
            yield part, frame, frame if chosen is None else frame.filter(chosen)


def _alone(table: pl.LazyFrame | pl.DataFrame, look: Look) -> pl.LazyFrame:
    """A table with this column: among hundreds a question takes longer to plan than to answer."""
    return table if isinstance(table, pl.LazyFrame) else table.get_column(look.name).to_frame().lazy()


def _numbers(lazy: pl.LazyFrame, looks: Sequence[Look], rows: int) -> list[Json]:
    """What one pass over some columns counts of each."""
    wanted = [
        expression.alias(f"{place}:{name}")
        for place, look in enumerate(looks)
        for name, expression in look.measures().items()
    ]
    counted = ask(lazy.select(wanted), rows).row(0, named=True) if wanted else {}
    found: list[Json] = [{} for _ in looks]
    for key, value in counted.items():
        place, _, name = key.partition(":")
        found[int(place)][name] = value
    return found


def _column(lazy: pl.LazyFrame, look: Look, numbers: Json, known: pl.Series, rows: int) -> ColumnProfile:
    """`known` is a sample of its values."""
    distinct, exact = _distinct(lazy, look, rows, numbers["missing"])
    quantiles = look.quantiles(known, QUANTILES)
    bars = histogram(lazy, rows, look, numbers, quantiles)
    top = top_values(lazy, rows, look, known, distinct)
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


def _distinct(lazy: pl.LazyFrame, look: Look, rows: int, missing: int) -> tuple[int, bool]:
    """How many different values there are, and whether they were counted."""
    if look.kind == "other":
        return 0, True
    if rows > COUNTED_ROWS:
        about = _estimated(lazy, look, rows)
        if about > FEW:
            return min(about, rows - missing), False
    return _count(lazy, look, rows), True


def _estimated(lazy: pl.LazyFrame, look: Look, rows: int) -> int:
    """From the values whose hash is small: a share of all different ones, however often each occurs."""
    share = min(SHARE, HASHES / rows)
    hashes = look.raw.drop_nulls().hash()
    small = lazy.select(hashes.filter(hashes <= int(share * (2**64 - 1))))
    return round(_different(ask(small, rows)) / share)


def _count(lazy: pl.LazyFrame, look: Look, rows: int) -> int:
    """It is hashes that are counted: two of ten million values share one in one of 300,000 columns."""
    return _different(ask(lazy.select(look.raw.drop_nulls().hash()), rows))


def _different(hashes: pl.DataFrame) -> int:
    return len(starts(np.sort(hashes.to_series().to_numpy())))


def _duplicates(
    lazy: pl.LazyFrame, looks: Sequence[Look], columns: Sequence[ColumnProfile], rows: int
) -> int | None:
    """How many rows repeat an earlier one; None where they cannot be compared or are too many."""
    if _one_differs(lazy, looks, columns, rows):
        return 0
    plain = [look.raw for look in looks if look.kind != "other"]
    if not plain or rows > HASHED_ROWS or len(plain) < len(looks):
        return None
    return rows - _different(ask(lazy.select(pl.struct(plain).hash().alias("row")), rows))


def _one_differs(
    lazy: pl.LazyFrame, looks: Sequence[Look], columns: Sequence[ColumnProfile], rows: int
) -> bool:
    """Whether some column has a value of its own in each row."""
    if any(column.exact and column.distinct == rows for column in columns):
        return True
    if rows > HASHED_ROWS:
        return False
    near = [
        look
        for look, column in zip(looks, columns, strict=True)
        if not column.exact and not column.missing and column.distinct >= UNLIKE * rows
    ]
    near.sort(key=lambda look: look.kind == "word")
    return any(_count(lazy, look, rows) == rows for look in near[:TRIED])
