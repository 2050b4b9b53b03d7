"""Writes small .xlsb files by hand: the records of Excel's binary workbook in a ZIP archive."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.storage.workbook import FORMATS, HEAD, PACKAGE, RELATIONS, STYLES, Cell, _days


def write(path: Path, sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> Path:
    numbers = range(1, len(sheets) + 1)
    office = "application/vnd.ms-excel"
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{n}.bin"/>'
        for n in numbers
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'{HEAD}<Types xmlns="{PACKAGE}/content-types"><Default Extension="bin" '
            f'ContentType="{office}.sheet.binary.macroEnabled.main"/><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
            f'Type="{RELATIONS}/officeDocument" Target="xl/workbook.bin"/></Relationships>',
        )
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{related}'
            f'<Relationship Id="rIdS" Type="{RELATIONS}/styles" Target="styles.bin"/></Relationships>',
        )
        archive.writestr("xl/workbook.bin", _workbook(list(sheets)))
        archive.writestr("xl/styles.bin", _styles())
        for n, rows in enumerate(sheets.values(), start=1):
            archive.writestr(f"xl/worksheets/sheet{n}.bin", _sheet(rows))
    return path


def _record(kind: int, content: bytes = b"") -> bytes:
    number = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, left = b"", len(content)
    while True:
        size += bytes([left & 0x7F | (0x80 if left > 127 else 0)])
        left >>= 7
        if not left:
            return number + size + content


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le")


def _workbook(names: list[str]) -> bytes:
    listed = b"".join(
        _record(0x9C, struct.pack("<II", 0, n) + _text(f"rId{n}") + _text(name))
        for n, name in enumerate(names, start=1)
    )
    return (
        _record(0x83)
        + _record(0x99, struct.pack("<III", 0, 0, 0))
        + _record(0x8F)
        + listed
        + _record(0x90)
        + _record(0x84)
    )


def _styles() -> bytes:
    cells = b"".join(
        _record(0x2F, struct.pack("<HHHHHBBHBB", 0, number, 0, 0, 0, 0, 0, 0, 0, 0)) for number in FORMATS
    )
    return (
        _record(0x116)
        + _record(0x269, struct.pack("<I", len(FORMATS)))
        + cells
        + _record(0x26A)
        + _record(0x117)
    )


def _sheet(rows: Sequence[Sequence[Cell]]) -> bytes:
    width = max(map(len, rows), default=0)
    size = struct.pack("<IIII", 0, max(0, len(rows) - 1), 0, max(0, width - 1))
    body = b"".join(_row(number, row) for number, row in enumerate(rows))
    return _record(0x81) + _record(0x94, size) + _record(0x91) + body + _record(0x92) + _record(0x82)


def _row(number: int, cells: Sequence[Cell]) -> bytes:
    return _record(0x00, struct.pack("<I", number) + bytes(21)) + b"".join(
        _cell(column, cell) for column, cell in enumerate(cells) if cell is not None
    )


def _cell(column: int, cell: Cell) -> bytes:
    place = struct.pack("<II", column, STYLES.get(type(cell), 0))  # type: ignore[arg-type]
    if isinstance(cell, bool):
        return _record(0x04, place + bytes([cell]))
    if isinstance(cell, str):
        return _record(0x06, place + _text(cell))
    value = float(cell) if isinstance(cell, int | float) else _days(cell)
    return _record(0x05, place + struct.pack("<d", value))
