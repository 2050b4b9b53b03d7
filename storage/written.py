"""How the texts of a column wrote its dates and numbers, so that single values can be read alike later."""

from __future__ import annotations

import polars as pl

from flowml.storage.dates import Way, formats_of, parse_one_way
from flowml.storage.records import COMMA_DECIMALS, COMMA_THOUSANDS

SAMPLE = 200


def ways_of(raw: pl.Series, settled: pl.Series) -> tuple[str, ...]:
    """Formats of dates or times, or how commas are meant in numbers; () where nothing is to be known.

    `raw` is the column as text, `settled` what was read of it. Ways that would read it otherwise are left
    out.
    """
    if raw.dtype != pl.String or settled.dtype == pl.String:
        return ()
    if settled.dtype.is_numeric() and not raw.str.contains(",", literal=True).any():
        return ()
    known = pl.DataFrame({"raw": raw, "settled": settled}).drop_nulls()
    sample = known.gather_every(max(1, known.height // SAMPLE)).head(SAMPLE)
    if not sample.height:
        return ()
    sample = sample.with_columns(pl.col("raw").str.strip_chars())
    if settled.dtype.is_numeric():
        return _commas(sample)
    return tuple(_dates(sample)) if settled.dtype.is_temporal() else ()


def _commas(sample: pl.DataFrame) -> tuple[str, ...]:
    written = sample.filter(pl.col("raw").str.contains(",", literal=True))
    if not written.height:
        return ()
    grouped = pl.col("raw").str.replace_all(",", "", literal=True).cast(pl.Float64, strict=False)
    thousands = written.select((grouped == pl.col("settled")).all()).item()
    return (COMMA_THOUSANDS if thousands else COMMA_DECIMALS,)


def _dates(sample: pl.DataFrame) -> list[str]:
    """Those that the ISO standard knows are left out: they are read anyway."""
    ways = formats_of(sample["raw"].to_list(), clocks=sample["settled"].dtype == pl.Time)
    found = [format_ for way in ways if (format_ := _which(way, sample)) is not None]
    return [format_ for format_ in found if not format_.startswith(("%Y-%m-%d", "%H"))]


def _which(way: Way, sample: pl.DataFrame) -> str | None:
    """The format of a way, or that with day and month swapped, by which the values were read."""
    for format_ in filter(None, (way.format, way.swapped)):
        parsed = parse_one_way(sample["raw"], format_, sample["settled"].dtype)
        same = parsed == sample["settled"]
        if same.any() and same.drop_nulls().all():
            return format_
    return None
