"""Workbooks: entities, cells far away, parts that are missing, bombs."""

from __future__ import annotations

import functools
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.storage import workbook
from tests.storage.hostile.common import LAUGHS, MB, Content, written

OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def _book(part: str = "", change: Callable[[str], str] = str, key: str = "xlsx") -> bytes:
    """A good workbook with one part changed, or left out where nothing is left of it."""
    into = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(written(key))) as good,
        zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for name in good.namelist():
            content = good.read(name)
            if name == part:
                content = change(content.decode("utf-8")).encode("utf-8")
            if content:
                bad.writestr(name, content)
    return into.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def _in_sheet(old: str, new: str) -> Callable[[], bytes]:
    return lambda: _book(SHEET, lambda text: text.replace(old, new, 1))


def workbooks() -> Iterator[tuple[str, Content]]:
    head = "?>"
    for name, kind in (("laughs", LAUGHS), ("outside", OUTSIDE)):
        for part in (SHEET, "xl/workbook.xml", "xl/styles.xml"):
            where = part.rpartition("/")[2][:-4]
            yield (
                f"{name}-{where}.xlsx",
                functools.partial(
                    _book,
                    part,
                    lambda text, kind=kind: text.replace(head, head + kind, 1).replace(">whole<", ">&j;<"),
                ),
            )
        yield (
            f"{name}.ods",
            functools.partial(
                _book,
                "content.xml",
                lambda text, kind=kind: text.replace(head, head + kind, 1).replace("whole", "&a;"),
                "ods",
            ),
        )
    yield "formulas.xlsx", _in_sheet("<v>1</v>", '<f>HYPERLINK("http://x")</f><v>1</v>')
    yield "far-cell.xlsx", _in_sheet('r="A2"', 'r="XFD1048576"')
    yield "beyond-cell.xlsx", _in_sheet('r="A2"', 'r="ZZZZZ99999999999"')
    yield "no-place.xlsx", _in_sheet('r="A2"', 'r=""')
    yield "same-place.xlsx", _in_sheet('r="B2"', 'r="A2"')
    yield "shared-string.xlsx", _in_sheet("<v>1</v>", '<v>1</v></c><c r="J2" t="s"><v>999999999</v>')
    yield "style.xlsx", _in_sheet('s="2"', 's="99999999"')
    yield "number.xlsx", _in_sheet("<v>1</v>", "<v>1e999999</v>")
    yield "word-as-number.xlsx", _in_sheet("<v>1</v>", "<v>one</v>")
    yield "open-tag.xlsx", _in_sheet("</sheetData>", "")
    yield "deep.xlsx", _in_sheet("<sheetData>", "<x>" * 100_000 + "<sheetData>")
    yield "long-cell.xlsx", _in_sheet(">whole<", ">" + "x" * (20 * MB) + "<")
    yield "many-columns.xlsx", lambda: _made({"S": [[f"c{n}" for n in range(16_384)], [1] * 16_384]})
    yield "many-sheets.xlsx", lambda: _made({f"s{n}": [["a"], [1]] for n in range(500)})
    yield "odd-names.xlsx", lambda: _made({"../../x": [["a"], [1]], "'; DROP TABLE": [["b"], [2]]})
    yield "empty-sheets.xlsx", lambda: _made({f"s{n}": [] for n in range(5)})
    for part in (
        SHEET,
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "[Content_Types].xml",
    ):
        yield f"without-{part.rpartition('/')[2]}.xlsx", functools.partial(_book, part, lambda _: "")
        yield f"blank-{part.rpartition('/')[2]}.xlsx", functools.partial(_book, part, lambda _: " ")
    yield (
        "bomb.xlsx",
        lambda: _book(SHEET, lambda text: text.replace("<sheetData>", " " * (300 * MB) + "<sheetData>")),
    )
    repeated = 'table:table-cell table:number-{}-repeated="1000000000"'
    for kind in ("columns", "rows"):
        yield (
            f"repeated-{kind}.ods",
            functools.partial(
                _book,
                "content.xml",
                lambda text, kind=kind: (
                    text.replace("table:table-cell", repeated.format(kind), 1)
                    if kind == "columns"
                    else text.replace(
                        "<table:table-row", '<table:table-row table:number-rows-repeated="1000000000"', 1
                    )
                ),
                "ods",
            ),
        )
    yield (
        "protected.xlsx",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(600)
        + "EncryptedPackage".encode("utf-16-le")
        + bytes(2000),
    )
    yield "no-streams.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le") + bytes(5000)


def _made(sheets: dict[str, list[list[workbook.Cell]]]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return workbook.write(Path(folder) / "b", sheets).read_bytes()
