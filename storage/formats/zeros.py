"""Which columns of delimited text hold numbers such as 007 or 0x1f, found without parting its cells."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from flowml.storage.formats.dialect import Dialect

Letters = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SLICE = 1 << 17  # bytes that stay in a core's cache
ZERO, POINT, NEWLINE = b"0.\n"
LONGEST = 40  # letters of a number that are looked at; a longer one counts as one


def _set_of(letters: bytes) -> Flags:
    flags = np.zeros(256, bool)
    flags[list(letters)] = True
    return flags


DIGIT, SIGN, BLANK, RETURN = _set_of(b"0123456789"), _set_of(b"+-"), _set_of(b" "), _set_of(b"\r\n")
AFTER_ZERO = DIGIT | _set_of(b"xX")
IN_NUMBER = DIGIT | _set_of(b"+-.eE")


def columns_with_leading_zeros(text: memoryview, dialect: Dialect, rows: int) -> set[int] | None:
    """By their places; columns of words may be among them. `text` is whole rows, as many as `rows` tells.

    None where its fields cannot be counted: rows end with a return alone, or some are blank.
    """
    letters = np.frombuffer(text, np.uint8)
    zeros = _zeros_that_lead(letters, dialect)
    if not len(zeros):
        return set()
    places, fields, inside, width = set[int](), 0, False, len(dialect.first)
    for start in range(0, len(letters), SLICE):
        ends, inside = _ends_of_fields(letters[start : start + SLICE], dialect, inside)
        first, last = np.searchsorted(zeros, [start, start + SLICE])
        steps = pairwise([0, *(zeros[first:last] - start).tolist()])
        before = accumulate(int(np.count_nonzero(ends[a:b])) for a, b in steps)
        places |= {(fields + each) % width for each in before}
        fields += int(np.count_nonzero(ends))
    complete = fields + (letters[-1] != NEWLINE) == rows * width
    return places if complete else None


def _zeros_that_lead(letters: Letters, dialect: Dialect) -> Places:
    """Those that begin a number, perhaps after a sign, and go on with another digit or an x."""
    delimiter = ord(dialect.delimiter)
    found = [np.zeros(1 if len(letters) and letters[0] == ZERO else 0, np.int64)]
    for start in range(0, len(letters) - 2, SLICE):
        before, here, after = (
            letters[start + at : start + at + min(SLICE, len(letters) - start - 2)] for at in range(3)
        )
        leads = before < POINT  # signs, quotes, blanks and ends
        if delimiter >= POINT:
            leads |= before == delimiter
        leads &= here == ZERO
        leads &= after != POINT
        found.append(start + 1 + np.flatnonzero(leads))
    zeros = np.concatenate(found)
    zeros = zeros[_at(letters, zeros + 1, AFTER_ZERO)]
    zeros = zeros[_begins_a_field(letters, zeros, dialect)]
    return zeros[_is_a_number(letters, zeros, dialect)]


def _at(letters: Letters, places: Places, wanted: Flags) -> Flags:
    """Whether one of the wanted letters stands there; before the first and after the last stands none."""
    return (places >= 0) & (places < len(letters)) & wanted[letters.take(places, mode="clip")]


def _begins_a_field(letters: Letters, zeros: Places, dialect: Dialect) -> Flags:
    """Looks back over a sign, blanks and a quote."""
    at = zeros - 1
    at = at - _at(letters, at, SIGN)
    while dialect.delimiter != " " and (blank := _at(letters, at, BLANK)).any():
        at = at - blank
    at = at - _at(letters, at, _set_of(dialect.quote.encode()))
    return (at < 0) | _at(letters, at, RETURN | _set_of(dialect.delimiter.encode()))


def _is_a_number(letters: Letters, zeros: Places, dialect: Dialect) -> Flags:
    """Whether the field goes on as numbers do. Words that begin so are many."""
    going = np.ones(len(zeros), bool)
    at = np.flatnonzero(_at(letters, zeros + 1, DIGIT))
    ended = RETURN | BLANK | _set_of((dialect.delimiter + dialect.quote).encode())
    for step in range(2, LONGEST):
        places = zeros[at] + step
        at = at[~_at(letters, places, ended) & (places < len(letters))]
        stops = ~_at(letters, zeros[at] + step, IN_NUMBER)
        going[at[stops]] = False
        at = at[~stops]
    return going


def _ends_of_fields(letters: Letters, dialect: Dialect, inside: bool) -> tuple[Flags, bool]:
    """Delimiters and newlines outside of quotes, and whether the piece ends inside; `inside` it began."""
    ends = letters == ord(dialect.delimiter)
    ends |= letters == NEWLINE
    quotes = letters == ord(dialect.quote)
    if inside or quotes.any():
        within: Flags = np.logical_xor.accumulate(quotes) ^ inside
        ends &= ~within
        inside = bool(within[-1])
    return ends, inside
