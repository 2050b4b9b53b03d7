"""CSV and its kin: fields parted by commas, semicolons, tabs, bars or blanks.

Arrow reads the file strictly and as text; what the text means is found out afterwards, over all rows, so
that no row depends on how the first ones look.
"""

from __future__ import annotations

import codecs
import functools
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from flowml.storage.errors import BrokenFile, EmptyFile
from flowml.storage.formats import arriving, blocks, ragged, spool
from flowml.storage.formats.arff import HEADER as ARFF_HEADER
from flowml.storage.formats.dialect import Dialect, detect, encoding_of
from flowml.storage.formats.documents import starts_like_toml, starts_like_yaml
from flowml.storage.formats.objects import looks_like_json
from flowml.storage.formats.row import HEAD_BYTES, Format, Piece, Stream
from flowml.storage.formats.strangers import stranger
from flowml.storage.formats.streams import placed
from flowml.storage.names import unique_names
from flowml.storage.reading import ByColumn, Reading, refuse_width
from flowml.storage.records import Finding, Severity

BLOCK = 1 << 23
STREAM_BLOCK = 1 << 22  # from which pieces are cut
LARGEST_BLOCK = (1 << 31) - 1
LARGEST_STREAMED = 1 << 28
Reader: TypeAlias = Callable[[Path, Dialect, int, bool], pa.Table]
WESTERN = ("cp1252", "latin-1")  # tried in turn where UTF-8 fails; the last takes any bytes
FEW_CONTROLS = 3  # in a short file; so few are looked at in detail
CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1b\x1a"))

OTHER_TEXTS = (
    looks_like_json,
    starts_like_yaml,
    starts_like_toml,
    lambda head: bool(ARFF_HEADER.match(head)),
)


def is_text(head: bytes, _: Path) -> bool:
    if not head.strip() or stranger(head)[0] or any(is_other(head) for is_other in OTHER_TEXTS):
        return False
    if encoding_of(head).startswith("utf-16"):
        return True
    return len(head) - len(head.translate(None, CONTROL)) <= max(FEW_CONTROLS, len(head) // 100)


def _parted_by(delimiters: str) -> Callable[[bytes, Path], bool]:
    def recognise(head: bytes, path: Path) -> bool:
        return is_text(head, path) and detect(head).delimiter in delimiters

    return recognise


def read(path: Path) -> Reading:
    dialect = _with_rows(_checked(path))
    table, dialect = _read_in_its_encoding(path, dialect, _whole)
    _refuse_open_quote(path, dialect, table)
    frame = pl.DataFrame(pl.from_arrow(table))
    return Reading(frame, _names_of(dialect), False, _decimal_comma(dialect), _findings(dialect))


def by_column(path: Path, folder: Path) -> ByColumn:
    """Through files in `folder`, so that columns can be had one at a time."""
    dialect = _with_rows(_dialect_with_fields(path))
    names = _names_of(dialect)
    try:
        options = functools.partial(_options_of_block, dialect)
        found = blocks.read(path, folder, dialect, options, unique_names(names)[0])
    except (blocks.NotPlain, pa.ArrowInvalid):
        arriving.wait(path)
        return _row_after_row(path, folder, dialect)
    return ByColumn(
        names,
        found.rows,
        found.size,
        found.columns,
        notes=found.notes,
        scan=found.scan,
        ready=found.ready,
        **_facts(dialect),
    )


def _row_after_row(path: Path, folder: Path, dialect: Dialect) -> ByColumn:
    _refuse_nul(path, dialect)
    raw = folder / "raw.arrow"
    last, dialect = _read_in_its_encoding(path, dialect, functools.partial(_spooled, raw))
    _refuse_open_quote(path, dialect, last)
    return spool.opened(raw, _names_of(dialect), **_facts(dialect))


def _facts(dialect: Dialect) -> dict[str, Any]:
    return {"typed": False, "decimal_comma": _decimal_comma(dialect), "findings": _findings(dialect)}


def _checked(path: Path) -> Dialect:
    """The dialect of a file that may be read. Raises EmptyFile, BrokenFile or FileTooLarge."""
    dialect = _dialect_with_fields(path)
    _refuse_nul(path, dialect)
    return dialect


def _dialect_with_fields(path: Path) -> Dialect:
    dialect = _dialect_of(path)
    if not dialect.first:
        raise EmptyFile("The file holds blank lines only.", "Add a file with a header line and rows.")
    refuse_width(len(dialect.first))
    return dialect


def _with_rows(dialect: Dialect) -> Dialect:
    if dialect.only_line and dialect.has_header:
        shown = ", ".join(dialect.first[:10])
        raise EmptyFile(f"The file has a header ({shown}) but no rows.", "Add a file with at least one row.")
    return dialect


def _names_of(dialect: Dialect) -> tuple[str, ...]:
    return (
        dialect.first if dialect.has_header else tuple(f"column_{n + 1}" for n in range(len(dialect.first)))
    )


def _decimal_comma(dialect: Dialect) -> bool:
    return dialect.delimiter != ","


def _whole(path: Path, dialect: Dialect, block: int, skip_blank: bool) -> pa.Table:
    options = _options(dialect, block, skip_blank)
    return arrow_csv.read_csv(path, **options)


def _spooled(raw: Path, path: Path, dialect: Dialect, block: int, skip_blank: bool) -> pa.Table:
    """Writes all and answers with the last rows."""
    with arrow_csv.open_csv(path, **_options(dialect, min(block, LARGEST_STREAMED), skip_blank)) as batches:
        return spool.write(raw, batches.schema, batches)


def _dialect_of(path: Path, encoding: str = "") -> Dialect:
    """Looks further than usual only where the first line is longer than that."""
    size = arriving.size_of(path)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        while not head.strip() or b"\n" not in head.strip():
            arriving.wait(path, 2 * len(head))
            more = file.read(len(head))
            if not more:
                break
            head += more
    return detect(head, len(head) == size, encoding)


def _read_in_its_encoding(path: Path, dialect: Dialect, read_blocks: Reader) -> tuple[pa.Table, Dialect]:
    if dialect.encoding.startswith("utf-16"):
        try:
            return _read(path, dialect, read_blocks), dialect
        except UnicodeDecodeError as error:
            raise BrokenFile(
                f"The file is in UTF-16, but cut or damaged ({error.reason}).", "Save it as UTF-8."
            ) from error
    for encoding in (dialect.encoding, *WESTERN):
        tried = _dialect_of(path, encoding)
        try:
            return _read(path, tried, read_blocks), tried
        except (UnicodeDecodeError, _NotUtf8):
            continue
    raise BrokenFile("The file's encoding cannot be told.", "Save it as UTF-8.")


class _NotUtf8(Exception):
    pass


def _read(path: Path, dialect: Dialect, read_blocks: Reader) -> pa.Table:
    block, skip_blank = BLOCK, False
    while True:
        try:
            return read_blocks(path, dialect, block, skip_blank)
        except pa.ArrowInvalid as error:
            if "straddling" in str(error) and block < LARGEST_BLOCK:
                block = min(block * 8, LARGEST_BLOCK)  # one row is longer than a block
            elif "invalid UTF8" in str(error):
                raise _NotUtf8 from error
            elif skip_blank or ragged.bad_lines(path, dialect):
                raise ragged.explain(path, dialect) from error
            else:
                skip_blank = True  # nothing is wrong but lines that hold blanks


def _options(dialect: Dialect, block: int, skip_blank: bool) -> dict[str, Any]:
    """How Arrow reads a file of this dialect: strictly, as text, its columns named by their places."""
    places = [str(at) for at in range(len(dialect.first))]
    return {
        "read_options": arrow_csv.ReadOptions(
            column_names=places,
            skip_rows=dialect.blank_lines,
            skip_rows_after_names=int(dialect.has_header),
            encoding=dialect.encoding.removesuffix("-sig"),  # Arrow skips the mark itself
            block_size=block,
        ),
        "parse_options": arrow_csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote,
            newlines_in_values=True,
            invalid_row_handler=_skip_blank if skip_blank else None,
        ),
        "convert_options": arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(places, pa.large_string()),
            strings_can_be_null=False,
        ),
    }


def _options_of_block(dialect: Dialect, first: bool) -> dict[str, Any]:
    options = _options(dialect, LARGEST_BLOCK, skip_blank=False)
    options["read_options"].use_threads = False
    if not first:
        options["read_options"].skip_rows = options["read_options"].skip_rows_after_names = 0
    return options


def _skip_blank(row: arrow_csv.InvalidRow) -> str:
    return "error" if row.text.strip() else "skip"


def _refuse_nul(path: Path, dialect: Dialect) -> None:
    if dialect.encoding.startswith("utf-16"):
        return
    line = 1
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            at = block.find(0)
            if at >= 0:
                line += block.count(b"\n", 0, at)
                raise BrokenFile(
                    f"Line {line} holds a NUL byte, which text never does.",
                    "The file may be cut off or no text at all; export it again.",
                )
            line += block.count(b"\n")


def _refuse_open_quote(path: Path, dialect: Dialect, table: pa.Table) -> None:
    """Arrow takes the rest of the file as the last value if its quote is never closed."""
    last = table.column(table.num_columns - 1)[table.num_rows - 1].as_py()
    if not last:
        return
    before = dialect.delimiter if table.num_columns > 1 else "\n"
    tail = before + dialect.quote + last.replace(dialect.quote, dialect.quote * 2)
    encoding = dialect.encoding
    size = len(tail.encode(encoding.removesuffix("-sig"))) + 8
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size), io.SEEK_SET)
        end = file.read().decode("utf-16-le" if encoding == "utf-16" else encoding, "replace")
    if end.endswith(tail):
        raise ragged.unclosed(ragged.last_line(path, dialect), dialect)


# --- piece by piece ---------------------------------------------------------------------------------------


def stream(path: Path) -> Stream:
    dialect = _in_its_encoding(path, _checked(path))

    def pieces(rows: int, wanted: Sequence[int]) -> Iterator[Piece]:
        for batch in _batches(path, dialect):
            for start in range(0, batch.num_rows, rows):
                yield placed(batch.select([str(at) for at in wanted]).slice(start, rows), wanted)

    return Stream(_names_of(dialect), pieces, typed=False)


def _in_its_encoding(path: Path, dialect: Dialect) -> Dialect:
    """With an encoding that the whole file is of: once pieces were given away, no other can be tried."""
    tried = ("utf-8", *WESTERN) if not dialect.encoding.startswith("utf-16") else ()
    for encoding in tried:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                while block := file.read(BLOCK):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return dialect if encoding == "utf-8" else _dialect_of(path, encoding)
    return dialect


def _batches(path: Path, dialect: Dialect) -> Iterator[pa.RecordBatch]:
    """In larger blocks from where a row was longer than one."""
    done, block = 0, STREAM_BLOCK
    while True:
        try:
            for batch in _after(done, _open(path, dialect, block)):
                yield batch
                done += batch.num_rows
                last = batch
            if done:
                _refuse_open_quote(path, dialect, last)
            return
        except pa.ArrowInvalid as error:
            if "straddling" not in str(error) or block >= LARGEST_BLOCK:
                raise ragged.explain(path, dialect) from error
            block = min(block * 8, LARGEST_BLOCK)


def _open(path: Path, dialect: Dialect, block: int) -> Iterator[pa.RecordBatch]:
    with arrow_csv.open_csv(path, **_options(dialect, block, skip_blank=True)) as reader:
        yield from reader


def _after(done: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What follows the first `done` rows."""
    for batch in batches:
        if done < batch.num_rows:
            yield batch.slice(done)
        done = max(0, done - batch.num_rows)


# --- what is refused or remarked --------------------------------------------------------------------------


def _findings(dialect: Dialect) -> tuple[Finding, ...]:
    findings = []
    if dialect.encoding in WESTERN:
        message = "The file is not in UTF-8; it was read as Western European (Windows-1252)."
        advice = "If letters look wrong in the preview, save the file as UTF-8 and add it again."
        findings.append(Finding("encoding", Severity.WARNING, message, advice=advice))
    if not dialect.has_header:
        message = "The first line holds numbers, so it was read as values; the columns got numbers as names."
        advice = "If it names the columns, give them names that are no numbers."
        findings.append(Finding("no_header", Severity.WARNING, message, advice=advice))
    return tuple(findings)


CSV = Format("csv", "CSV", (".csv",), _parted_by(",;"), read, stream, by_column=by_column)
TSV = Format("tsv", "TSV", (".tsv", ".tab"), _parted_by("\t"), read, stream, by_column=by_column)
TXT = Format(
    "txt", "Text with bars or blanks", (".txt", ".dat"), _parted_by("|~^ "), read, stream, by_column=by_column
)
