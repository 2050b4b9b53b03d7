"""What a column of text means: truth values, numbers, dates, or words with some of them missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import polars as pl

from flowml.storage.dates import as_dates

SAMPLE = 1000
MOST_DIGITS = 15  # a float keeps no more; longer numbers name things
MOST_CODES = 20  # text of a typed file with no more distinct whole numbers than this names kinds
SHOWN_TOKENS = 5

TRUTH = {"true": True, "false": False}
# What people write for "no value": among numbers and dates, in any case; among words, exactly.
NO_NUMBER = (
    r"(?i)^(\?|-{1,3}|\.{1,2}|\*|#?n/?a|n\.a\.?|nan|nat|<na>|null|none|nil|nul|missing|unknown|undefined|"
    r"no data|not (available|applicable)|[+-]?inf(inity)?|#(value|num|ref|null)!|#div/0!|#name\?)$"
)
NO_WORD = ("NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "<NA>", "NaT")

LONG = rf"^[+-]?\d{{{MOST_DIGITS + 1},}}$"
LEADING_ZERO = r"^[+-]?0\d"
THOUSANDS = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"
DECIMAL_COMMA = r"^[+-]?(\d{1,3}(\.\d{3})+|\d*),\d+([eE][+-]?\d+)?$"
PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
STRAY = re.compile(NO_NUMBER)
LONGEST_DATE = 100  # characters; to look further costs time where a cell holds a book
LOOKS_NUMERIC = re.compile(r"[+-]?[\d.,]*\d[\d.,]*([eE][+-]?\d+)?")


def settle_text(column: pl.Series, typed: bool, decimal_comma: bool) -> tuple[pl.Series, str]:
    """The column as what it means, and a note if that is not plainly what was written.

    `typed`: the file could have said number and said text, so few whole numbers are taken as codes.
    """
    plain = None if typed else plain_numbers(column)
    if plain is not None:
        return plain, ""
    bare = column.str.strip_chars()
    blanks = int(((bare == "") & (column != "")).sum())
    bare = without(bare, bare == "")
    if bare.null_count() == len(bare):
        return bare, ""
    sample = _sample(bare.drop_nulls())
    found = _as_truth(bare, sample) or _as_numbers(bare, sample, typed, decimal_comma)
    settled, note = found or _as_dates(bare, sample) or _as_words(bare)
    return settled, "; ".join(filter(None, (note, _missing_note(blanks, "only blanks") if blanks else "")))


def leading_zero(column: pl.Series) -> bool:
    """Whether one is written as 007, which is a name."""
    return bool(column.str.contains(LEADING_ZERO).any())


def plain_numbers(
    column: pl.Series, looked_at: int = SAMPLE, leads: Callable[[pl.Series], bool] = leading_zero
) -> pl.Series | None:
    """The column as numbers, if each cell is plainly one or empty; None leaves it to a closer look.

    `looked_at` is how many of its cells are looked at before all are read; `leads` does what `leading_zero`
    does.
    """
    sample = [value for value in _sample(column.drop_nulls(), looked_at) if value]
    sample = sample or _sample(column.filter(column != ""), looked_at)
    if not sample or not all(map(PLAIN_NUMBER.fullmatch, sample)):
        return None
    empty = column.null_count() + int((column == "").sum())
    numbers = None
    if all(value.lstrip("+-").isdigit() for value in sample):
        numbers = column.cast(pl.Int64, strict=False)
    if numbers is None or numbers.null_count() != empty:  # one that is not whole decides
        numbers = column.cast(pl.Float64, strict=False)
    if numbers.null_count() != empty or not numbers.is_finite().all():
        return None
    low, high = _ends(numbers)
    if not -(10**MOST_DIGITS) < low <= high < 10**MOST_DIGITS:
        return None
    return None if leads(column) else numbers


def _ends(numbers: pl.Series) -> tuple[float, float]:
    low, high = numbers.min(), numbers.max()
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    return low, high


def without(column: pl.Series, gone: pl.Series) -> pl.Series:
    """The column with some of its values missing."""
    if not gone.any():
        return column
    kept = pl.DataFrame({"column": column, "gone": gone})
    return (
        kept.select(pl.when(~pl.col("gone").fill_null(False)).then("column")).to_series().alias(column.name)
    )


def _sample(values: pl.Series, most: int = SAMPLE) -> list[str]:
    step = max(1, len(values) // most)
    return [str(value) for value in values.gather_every(step).head(most).to_list()]


# --- truth values -----------------------------------------------------------------------------------------


def _as_truth(column: pl.Series, sample: Sequence[str]) -> tuple[pl.Series, str] | None:
    if not all(value.lower() in TRUTH or STRAY.match(value) for value in sample):
        return None
    parsed = column.str.to_lowercase().replace_strict(TRUTH, default=None, return_dtype=pl.Boolean)
    strays = _strays(column, parsed)
    return None if strays is None else (parsed, strays)


# --- numbers ----------------------------------------------------------------------------------------------


def _as_numbers(
    column: pl.Series, sample: Sequence[str], typed: bool, decimal_comma: bool
) -> tuple[pl.Series, str] | None:
    numeric = sum(1 for value in sample if LOOKS_NUMERIC.fullmatch(value))
    strays = sum(1 for value in sample if STRAY.match(value))
    if not numeric or numeric + strays < len(sample):
        return None
    if column.str.contains(LEADING_ZERO).any():
        return _codes(column)
    if typed and _names_kinds(column):
        return column, "whole numbers written as text, so they name kinds"
    return _plain_numbers(column) or _comma_numbers(column, decimal_comma)


def _codes(column: pl.Series) -> tuple[pl.Series, str] | None:
    """Numbers such as 007 are names; 00.5 is a number."""
    if column.drop_nulls().str.contains(r"^[+-]?0\d+$").any():
        return column, "numbers with leading zeros, kept as text"
    return _plain_numbers(column)


def _names_kinds(column: pl.Series) -> bool:
    return column.n_unique() <= MOST_CODES and bool(column.drop_nulls().str.contains(r"^[+-]?\d+$").all())


def _plain_numbers(column: pl.Series) -> tuple[pl.Series, str] | None:
    numbers = _finite(column.cast(pl.Float64, strict=False))
    strays = _strays(column, numbers)
    if strays is None:
        return None
    if (numbers.abs() >= 10**MOST_DIGITS).any() and column.str.contains(LONG).any():
        return column, "long numbers, kept as text"
    whole = column.cast(pl.Int64, strict=False)
    return (whole if whole.null_count() == numbers.null_count() else numbers), strays


def _comma_numbers(column: pl.Series, decimal_comma: bool) -> tuple[pl.Series, str] | None:
    """Numbers such as 1,234.5 or 1.234,5. What could be both is read as the file's delimiter suggests."""
    readings = {
        "thousands": (THOUSANDS, column.str.replace_all(",", "", literal=True)),
        "decimals": (
            DECIMAL_COMMA,
            column.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True),
        ),
    }
    order = ("decimals", "thousands") if decimal_comma else ("thousands", "decimals")
    for kind in order:
        pattern, rewritten = readings[kind]
        fits = column.str.contains(pattern) | column.str.contains(_PLAIN_WITH[kind])
        numbers = _finite(without(rewritten, ~fits).cast(pl.Float64, strict=False))
        strays = _strays(column, numbers)
        if strays is not None:
            return numbers, "; ".join(filter(None, (_COMMA_NOTES[kind], strays)))
    return None


_PLAIN_WITH = {"thousands": r"^[+-]?\d{1,3}(\.\d*)?$|^[+-]?\d+\.\d+$|^[+-]?\d+$", "decimals": r"^[+-]?\d+$"}
_COMMA_NOTES = {"thousands": "commas group the thousands", "decimals": "numbers with a decimal comma"}


def _finite(numbers: pl.Series) -> pl.Series:
    return without(numbers, ~numbers.is_finite())


def _strays(column: pl.Series, parsed: pl.Series) -> str | None:
    """A note on the values that were not parsed; None if one of them is more than a word for "no value"."""
    lost = column.filter(parsed.is_null() & column.is_not_null())
    if lost.is_empty():
        return ""
    nothing_parsed = len(lost) + column.null_count() == len(column)
    if nothing_parsed or not lost.str.contains(NO_NUMBER).all():
        return None
    return _missing_note(len(lost), _tokens(lost))


# --- dates and words --------------------------------------------------------------------------------------


def _as_dates(column: pl.Series, sample: Sequence[str]) -> tuple[pl.Series, str] | None:
    if any(len(value) > LONGEST_DATE for value in sample):
        return None
    known = [value for value in sample if not STRAY.match(value)]
    if not known or not known[0][0].isalnum() or not any(character.isdigit() for character in known[0]):
        return None
    tokens = sorted(set(sample) - set(known))
    return as_dates(without(column, column.is_in(tokens)), known)


def _as_words(column: pl.Series) -> tuple[pl.Series, str]:
    missing = column.is_in(NO_WORD)
    count = int(missing.sum() or 0)
    if not count:
        return column, ""
    return without(column, missing), _missing_note(count, _tokens(column.filter(missing)))


def _tokens(lost: pl.Series) -> str:
    tokens = sorted(lost.unique().to_list())
    more = ["…"] if len(tokens) > SHOWN_TOKENS else []
    return ", ".join([repr(token) for token in tokens[:SHOWN_TOKENS]] + more)


def _missing_note(count: int, tokens: str) -> str:
    return f"{count:,} {'cell' if count == 1 else 'cells'} with {tokens} taken as missing"
