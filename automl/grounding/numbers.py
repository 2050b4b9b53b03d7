"""Numbers as they are written in sentences, found and compared."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

NUMBER = re.compile(
    r"(?<![\w.,])(?<!\w[-\u2212])[-\u2212+]?(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?![\w])(?!\.\d|,\d)(\s?%|\s?per\s?cent\b)?"
)
WORDS = {
    word: float(value)
    for value, each in enumerate(
        (
            "zero none", "", "two second twice double both pair", "three third thrice triple",
            "four fourth quarter", "five fifth", "six sixth", "seven seventh", "eight eighth", "nine ninth",
            "ten tenth", "eleven eleventh", "twelve twelfth dozen",
        )
    )
    for word in each.split()
} | {"half": 0.5, "twenty": 20.0, "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "hundred": 100.0,
     "thousand": 1000.0, "million": 1e6}  # fmt: skip
WORD = re.compile(rf"\b({'|'.join(WORDS)})\b", re.IGNORECASE)
FEWEST_DIGITS = 2  # of a number that is written shorter than its source has it


class Number(NamedTuple):
    value: float  # without its sign
    decimals: int
    percent: bool
    digits: int  # significant ones


def numbers_in(text: str) -> list[Number]:
    """Of digits and of words such as `twice`, in that order."""
    found = [_of_digits(match) for match in NUMBER.finditer(text)]
    return found + [Number(WORDS[match[1].lower()], 0, False, 9) for match in WORD.finditer(text)]


def without_numbers(text: str) -> str:
    return NUMBER.sub(" ", text)


def _of_digits(match: re.Match[str]) -> Number:
    whole, part = match[1].replace(",", ""), match[2] or ""
    digits = (whole + part[1:]).lstrip("0")
    return Number(float(whole + part), max(0, len(part) - 1), bool(match[3]), max(1, len(digits)))


def agrees(said: Number, known: Number) -> bool:
    """Whether one is the other, or its rounding to two digits or more; 12.3 % is also 0.123."""
    value = known.value
    if said.percent != known.percent:
        value = value * 100 if said.percent else value / 100
    if math.isclose(said.value, value, rel_tol=1e-9):
        return True
    close = abs(said.value - value) <= 0.5 * 10.0**-said.decimals + 1e-12
    return close and said.digits >= FEWEST_DIGITS


def written(value: float) -> str:
    """Four significant digits, whole numbers in full, never with an exponent."""
    if not math.isfinite(value):
        return "unknown"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    size = abs(value)
    decimals = min(12, max(0, 3 - math.floor(math.log10(size))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def scored(value: float) -> str:
    """As a leaderboard writes it: four decimals up to ten, then five significant digits."""
    size = abs(value)
    if not math.isfinite(value) or 0 < size < 0.001:
        return written(value)
    return f"{value:.4f}" if size < 10 else f"{value:,.{max(0, 4 - int(math.log10(size)))}f}"


def percent(share: float) -> str:
    return f"{written(round(100 * share, 2))} %"
