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
MOST_LINES, LONGEST_LINE = 100, 1 << 16  # that are looked at by themselves


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
    in_lines = _places_in_lines(letters, zeros, dialect)
    return in_lines or _places_counted(letters, zeros, dialect, rows)


def _places_in_lines(letters: Letters, zeros: Places, dialect: Dialect) -> set[int]:
    """Where lines are rows and few of them are to be looked at; else nothing."""
    places, width = set[int](), len(dialect.first)
    if len(zeros) > MOST_LINES or (letters == ord(dialect.quote)).any():
        return places
    delimiter = dialect.delimiter.encode()
    for zero in zeros.tolist():
        start = max(0, zero - LONGEST_LINE)
        before = letters[start:zero].tobytes()
        after = letters[zero : zero + LONGEST_LINE].tobytes().partition(b"\n")[0]
        begin = before.rfind(b"\n") + 1
        fields = before.count(delimiter, begin)
        if (start and not begin) or fields + after.count(delimiter) != width - 1:
            return set()
        places.add(fields)
    return places


def _places_counted(letters: Letters, zeros: Places, dialect: Dialect, rows: int) -> set[int] | None:
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
    found = [np.zeros(int(len(letters) > 1 and letters[0] == ZERO), np.int64)]
    for start in range(0, len(letters) - 2, SLICE):
        before, here, after = (
            letters[start + at : start + at + min(SLICE, len(letters) - start - 2)] for at in range(3)
        )
        leads = before < POINT  # signs, quotes, blanks and ends
        if delimiter >= POINT:
            leads |= before == delimiter
        leads &= here == ZERO
        leads &= after > POINT  # digits, letters and some delimiters
        found.append(start + 1 + np.flatnonzero(leads))
    zeros = np.concatenate(found)
    before, further = (letters.take(zeros - back, mode="clip") for back in (1, 2))
    zeros = zeros[~(SIGN.take(before) & DIGIT.take(further))]  # as in days
    zeros = zeros[AFTER_ZERO.take(letters.take(zeros + 1))]
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
        if not len(at):
            break
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
