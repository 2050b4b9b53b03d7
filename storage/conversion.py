"""From a file of any format to canonical Parquet. A large table passes through some columns at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from flowml.storage import canonical, schema
from flowml.storage.abreast import abreast
from flowml.storage.errors import EmptyFile
from flowml.storage.formats import Located, arriving
from flowml.storage.formats.groups import ROWS
from flowml.storage.reading import ByColumn
from flowml.storage.records import DatasetSchema, Finding

LARGE = 32 << 20  # bytes of a file from which on it is tableed
GROUP = 32 << 20  # bytes of cells that are looked at together
PARQUET: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "row_group_size": ROWS}


@dataclass(frozen=True)
class Converted:
    schema: DatasetSchema
    findings: tuple[Finding, ...]
    table: str


def convert(found: Located, target: Path, folder: Path) -> Converted:
    """Writes `target`, by way of files in `folder`. The same table gives the same bytes."""
    by_column = found.format.by_column
    if by_column is None or found.table or arriving.size_of(found.path) < LARGE:
        arriving.wait(found.path)
        return _at_once(found, target)
    return _in_groups(by_column(found.path, folder), target, folder)


def _at_once(found: Located, target: Path) -> Converted:
    reading = found.format.open(found.path, found.table)
    table = canonical.settle(reading)
    table.frame.write_parquet(target, **PARQUET)
    return Converted(schema.infer(table.frame, table.notes, table.written), table.findings, reading.table)


@dataclass(frozen=True)
class _Part:
    """Some settled columns. Those that settling changed lie in a file of their own.

    `names`: of the changed ones in that file, of the others by their place, as `ByColumn.scan` has it.
    """

    names: tuple[str, ...]
    path: Path | None
    written: tuple[str, ...]
    notes: tuple[str, ...]
    has_values: tuple[bool, ...]
    schema: DatasetSchema


def _in_groups(table: ByColumn, target: Path, folder: Path) -> Converted:
    if not table.rows or not table.names:
        raise EmptyFile("The table has no rows.", "Add a file with at least one row.")
    parts = abreast(lambda places: _part(table, places, folder), list(_groups(table)))
    written = [name for part in parts for name in part.written]
    has_values = [known for part in parts for known in part.has_values]
    naming = canonical.name(written, has_values, table.rows)
    if table.ready and len(naming.names) == len(table.names) and not any(part.path for part in parts):
        table.ready.replace(target)
    else:
        _join(table, parts, naming.names, target)
    columns = [column for part in parts for column in part.schema.columns]
    described = schema.renamed(
        DatasetSchema(table.rows, tuple(columns[at] for at in naming.names)), tuple(naming.names.values())
    )
    return Converted(described, (*table.findings, *naming.findings), table.table)


def _groups(table: ByColumn) -> Iterator[Sequence[int]]:
    width = len(table.names)
    count = max(1, min(width, math.ceil(table.size / GROUP)))
    step = math.ceil(width / count)
    for first in range(0, width, step):
        yield range(first, min(width, first + step))


def _part(table: ByColumn, places: Sequence[int], folder: Path) -> _Part:
    reading = table.reading(places)
    settled = canonical.settle_columns(reading)
    same = _unchanged(reading.frame, settled) if table.scan else [False] * len(settled)
    names = [str(places[at]) if same[at] else f"{places[0]}-{at}" for at in range(len(settled))]
    frame = pl.DataFrame([each.column.alias(name) for each, name in zip(settled, names, strict=True)])
    changed = [name for name, kept in zip(names, same, strict=True) if not kept]
    path = folder / f"part-{places[0]:06}.arrow" if changed else None
    if path is not None:
        frame.select(cs.by_name(*changed)).write_ipc(path, compression="uncompressed")
    described = schema.infer(
        frame,
        {name: each.note for each, name in zip(settled, names, strict=True)},
        {name: each.ways for each, name in zip(settled, names, strict=True)},
        {name: each.written for each, name in zip(settled, names, strict=True)},
    )
    return _Part(
        tuple(names),
        path,
        tuple(each.written for each in settled),
        tuple(each.note for each in settled),
        tuple(each.has_values for each in settled),
        described,
    )


def _unchanged(raw: pl.DataFrame, settled: Sequence[canonical.Settled]) -> list[bool]:
    if raw.width != len(settled):  # some were parted
        return [False] * len(settled)
    return [
        each.kept or (each.column.dtype == column.dtype and each.column.equals(column))
        for each, column in zip(settled, raw.get_columns(), strict=True)
    ]


def _join(table: ByColumn, parts: Sequence[_Part], names: dict[int, str], target: Path) -> None:
    lie = [name for part in parts for name in part.names]
    files = [pl.scan_ipc(part.path) for part in parts if part.path]
    raw = [int(lie[at]) for at in names if lie[at].isdigit()]
    if table.scan and raw:
        files.append(table.scan(raw))
    whole = pl.concat(files, how="horizontal")
    kept = whole.select(pl.col(lie[at]).alias(name) for at, name in names.items())
    kept.sink_parquet(target, **PARQUET)
