"""Files that people take for tables: known by their first bytes, so that a refusal can name them."""

from __future__ import annotations

STRANGERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture", ""),
    (b"\xff\xd8\xff", "a JPEG picture", ""),
    (b"GIF8", "a GIF picture", ""),
    (b"%PDF", "a PDF document", "Export the table in it as CSV or Excel."),
    (b"\x7fELF", "a Linux program", ""),
    (b"MZ\x90", "a Windows program", ""),
    (b"PK\x03\x04", "a ZIP archive", "Unpack it and add the file inside."),
    (b"PK\x05\x06", "an empty ZIP archive", ""),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and add the file inside."),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "Unpack it and add the file inside."),
    (b"BZh", "a bzip2 archive", "Unpack it and add the file inside."),
    (b"\xfd7zXZ\x00", "an xz archive", "Unpack it and add the file inside."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it and add the file inside."),
    (b"Rar!", "a RAR archive", "Unpack it and add the file inside."),
    (
        b"\xd0\xcf\x11\xe0",
        "a password-protected workbook, or another old Office file",
        "Save it as .xlsx without a password.",
    ),
    (b"SQLite format 3\x00", "a SQLite database", "Export the table as CSV or Parquet."),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "Export the table as CSV or Parquet."),
    (b"PARE", "an encrypted Parquet file", "Save it without encryption."),
    (b"FEA1", "a Feather file of the old version 1", "Save it as Feather version 2 or Parquet."),
    (b"\x80\x04\x95", "a Python pickle, which is never loaded", "Save the table as Parquet or CSV."),
    (b"\x80\x05\x95", "a Python pickle, which is never loaded", "Save the table as Parquet or CSV."),
    (b"RIFF", "a sound or video file", ""),
)

PAGES = (b"<!doctype html", b"<html", b"<?xml")


def stranger(head: bytes) -> tuple[str, str]:
    """What the file is and what to do instead; empty texts if it is no known stranger."""
    for magic, name, advice in STRANGERS:
        if head.startswith(magic):
            return name, advice
    if len(head) > 12 and head[8:12] == b"DUCK":
        return "a DuckDB database", "Open it in DuckDB and export the table."
    if head[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGES):
        return "a web page or XML document", "Download the table itself, for example as CSV."
    return "", ""
