"""Reads a multipart form piece by piece, so that its file never lies in memory."""

from __future__ import annotations

from collections.abc import Iterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from flowml.storage.errors import InputError

FILE_PART = "file"


class FormReader:
    """`feed` gives the bytes of the part `file`; `fields` holds the text fields, `file_name` the file's name.

    `limit` bounds all text fields together, in bytes.
    """

    def __init__(self, content_type: str, limit: int) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise InputError(
                f"The body is {content_type[:100] or 'of no type'}; expected multipart/form-data.",
                "Send the table as the part 'file' of a form, or as the body of PUT /api/datasets/{name}.",
            )
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None
        self._left = limit
        self._header = self._value = b""
        self._disposition = b""
        self._part = ""
        self._is_file = False
        self._text = bytearray()
        self._pieces: list[bytes] = []
        self._ended = False
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._open,
                "on_part_data": self._data,
                "on_part_end": self._close,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise InputError(f"The form is broken: {error}.", "Send multipart/form-data.") from error
        pieces, self._pieces = self._pieces, []
        yield from pieces

    def close(self) -> None:
        """To be called after the last piece: a form cut short is refused."""
        if not self._ended:
            raise InputError("The form ends early.", "Send it again.")

    def _begin(self) -> None:
        self._disposition = b""
        self._text = bytearray()

    def _header_name(self, chunk: bytes, start: int, end: int) -> None:
        self._header += chunk[start:end]

    def _header_value(self, chunk: bytes, start: int, end: int) -> None:
        self._value += chunk[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _open(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._part = options.get(b"name", b"").decode("utf-8", "replace")
        self._is_file = self._part == FILE_PART and b"filename" in options
        if self._is_file:
            if self.file_name is not None:
                raise InputError("The form has two files.", "Send one table at a time.")
            self.file_name = options[b"filename"].decode("utf-8", "replace")

    def _data(self, chunk: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._pieces.append(chunk[start:end])
            return
        self._left -= end - start
        if self._left < 0:
            raise InputError("The form's fields are too long.", "Send the table as the part 'file'.")
        self._text += chunk[start:end]

    def _close(self) -> None:
        if not self._is_file:
            self.fields[self._part] = self._text.decode("utf-8", "replace")

    def _end(self) -> None:
        self._ended = True
