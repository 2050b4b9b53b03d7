"""What a column is for, guessed from its values and name, with the reason in plain words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import polars as pl

from flowml.storage import keys
from flowml.storage.records import Role
from flowml.storage.statistics import Statistics

Guess = tuple[Role, str]

FEW_ROWS = 20  # too few to tell that values never repeat
MOST_KINDS = 50  # an id with fewer distinct values names kinds
MOSTLY_UNIQUE = 0.98
WORDS_OF_TEXT = 3  # values of this many words on average are sentences
WORDS_OF_TITLE = 1.5  # words on average of a title,
FEWEST_WORDS = 20  # different ones: a number with its unit or kind has fewer
RECURRING = 0.3  # whose distinct words are a small share of all
LONG = 40  # characters
SHARE_OF_TEXTS = 0.2  # distinct ones among the rows: kinds recur more often
FEW_TEXTS = 10
WORDS_SAMPLE = 2000
FIRST_LOOK = 100  # values that mostly tell whether all are of a form

YES_NO = tuple(
    frozenset(pair) for pair in (("yes", "no"), ("y", "n"), ("true", "false"), ("t", "f"), ("on", "off"))
)
UUID = r"(?i)^\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$"
HASH = r"(?i)^[0-9a-f]{16,}$"
MAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


def guess(column: pl.Series, statistics: Statistics) -> Guess:
    known = len(column) - statistics.missing
    if not known:
        return Role.CONSTANT, "it has no value in any row"
    if column.dtype.is_nested():
        return Role.IGNORED, "it holds lists or records, not single values"
    if statistics.unique == 1 and not statistics.missing:
        return Role.CONSTANT, f"every row has the same value, {_shown(column.drop_nulls()[0])}"
    for fits, look in LOOKS:
        if fits(column.dtype):
            return look(column, statistics)
    return Role.IGNORED, f"it holds values of type {column.dtype}, which are not learned from"


def _boolean(_column: pl.Series, _statistics: Statistics) -> Guess:
    return Role.BOOLEAN, "it holds true and false"


def _moment(_column: pl.Series, statistics: Statistics) -> Guess:
    return Role.DATETIME, f"it holds dates from {statistics.minimum} to {statistics.maximum}"


def _amount(column: pl.Series, statistics: Statistics) -> Guess:
    kind = "times of the day" if column.dtype == pl.Time else "durations"
    return Role.NUMERIC, f"it holds {kind}, from {statistics.minimum} to {statistics.maximum}"


# --- numbers ----------------------------------------------------------------------------------------------


def _number(column: pl.Series, statistics: Statistics) -> Guess:
    known = column.drop_nulls()
    whole = column.dtype.is_integer() or (_are_whole(known.head(FIRST_LOOK)) and _are_whole(known))
    if whole and statistics.unique > 2:
        named = _named(column.name, statistics, len(known)) or _counted(column, known, statistics)
        if named:
            return named
    return Role.NUMERIC, _quantity(whole, statistics)


def _are_whole(known: pl.Series) -> bool:
    return bool((known.floor() == known).all())


def _named(name: str, statistics: Statistics, known: int) -> Guess | None:
    """Whole numbers whose name says that they name something."""
    distinct = f"{statistics.unique:,} distinct numbers"
    if keys.names_places(name):
        return Role.CATEGORICAL, f"{distinct} that name places, as the name says"
    if not keys.names_keys(name):
        return None
    if statistics.unique <= MOST_KINDS and statistics.unique < 0.5 * known:
        return Role.CATEGORICAL, f"the name ends like an id, and the {distinct} name kinds"
    if statistics.unique >= MOSTLY_UNIQUE * known:
        return Role.IDENTIFIER, "the name says id, and the numbers hardly ever repeat"
    return (
        Role.IDENTIFIER,
        f"the name says id; {distinct} recur over {known:,} rows (it may serve as a group)",
    )


def _counted(column: pl.Series, known: pl.Series, statistics: Statistics) -> Guess | None:
    """Numbers that count the rows, whatever they are called."""
    rows = len(column)
    if rows < FEW_ROWS or statistics.unique < rows or keys.names_time(column.name):
        return None
    low, high = statistics.minimum, statistics.maximum
    assert isinstance(low, float)
    assert isinstance(high, float)
    if high - low == rows - 1:
        return (
            Role.IDENTIFIER,
            f"each whole number from {low:.0f} to {high:.0f} occurs once: it counts the rows",
        )
    steps = known.diff().drop_nulls()
    if keys.is_unnamed(column.name) and (steps > 0).all():
        return Role.IDENTIFIER, "it has no name and rises from row to row: it counts the rows"
    if low in (0, 1) and high < 20 * rows and (steps > 0).all():
        return (
            Role.IDENTIFIER,
            "whole numbers that never repeat and rise from row to row: it numbers the rows",
        )
    return None


def _quantity(whole: bool, statistics: Statistics) -> str:
    if statistics.minimum is None:
        return "numbers that are all infinite"
    if whole and statistics.unique <= 2 and (statistics.minimum, statistics.maximum) == (0.0, 1.0):
        return "whole numbers 0 and 1: a flag, used as a number"
    if statistics.unique == 1:
        return f"one number, {statistics.minimum:g}, or missing"
    kind, form = ("whole numbers", ".0f") if whole else ("numbers", "g")
    low, high = format(statistics.minimum or 0.0, form), format(statistics.maximum or 0.0, form)
    return f"{statistics.unique:,} distinct {kind} from {low} to {high}"


# --- words ------------------------------------------------------------------------------------------------


def _words(column: pl.Series, statistics: Statistics) -> Guess:
    known = column.drop_nulls()
    unique, length = statistics.unique, statistics.mean_length or 0.0
    if unique <= 2 and {value.lower() for value in known.unique().to_list()} in YES_NO:
        return Role.BOOLEAN, f"two values, {statistics.top[0]} and {statistics.top[1]}"
    share = unique / len(known)
    if share >= SHARE_OF_TEXTS and unique > FEW_TEXTS:
        words = _mean_words(known)
        if words >= WORDS_OF_TEXT or (length > LONG and words > 1.5):
            return Role.TEXT, f"{unique:,} distinct texts of {words:.0f} words on average"
    kinds = Role.CATEGORICAL, _kinds(statistics, len(known))
    return kinds if keys.names_places(column.name) else _key(column, known, statistics) or kinds


def _key(column: pl.Series, known: pl.Series, statistics: Statistics) -> Guess | None:
    """Words that name single rows or things."""
    unique = statistics.unique
    if unique > 1 and _all_match(known, UUID):
        return Role.IDENTIFIER, f"{unique:,} distinct universal ids (UUID)"
    if keys.names_keys(column.name) and unique > MOST_KINDS:
        return Role.IDENTIFIER, f"the name says id, with {unique:,} distinct values over {len(known):,} rows"
    if len(known) < FEW_ROWS or unique / len(known) < MOSTLY_UNIQUE:
        return None
    if _all_match(known, HASH) and not known.str.contains(r"^\d*$").any():
        return Role.IDENTIFIER, "hexadecimal codes that hardly ever repeat"
    if known.str.contains(MAIL).sum() >= MOSTLY_UNIQUE * len(known):
        return Role.IDENTIFIER, "mail addresses that hardly ever repeat"
    if _words_recur(known):
        return Role.TEXT, f"{unique:,} distinct short texts, whose words recur"
    return (
        Role.IDENTIFIER,
        f"short texts that hardly ever repeat ({unique:,} distinct in {len(known):,} rows)",
    )


def _all_match(known: pl.Series, pattern: str) -> bool:
    first = known.head(FIRST_LOOK)
    return bool(first.str.contains(pattern).all()) and bool(known.str.contains(pattern).all())


def _kinds(statistics: Statistics, known: int) -> str:
    if statistics.unique == 1:
        return f"one value, {_shown(statistics.top[0])}, or missing"
    if statistics.unique <= MOST_KINDS:
        return f"{statistics.unique} distinct values"
    return f"{statistics.unique:,} distinct values over {known:,} rows"


def _mean_words(known: pl.Series) -> float:
    sample = known.gather_every(max(1, len(known) // WORDS_SAMPLE)).head(WORDS_SAMPLE)
    mean = (sample.str.count_matches(r"\S+")).mean()
    return float(mean) if isinstance(mean, int | float) else 0.0


def _words_recur(known: pl.Series) -> bool:
    """Whether texts that never repeat, such as titles, are made of words that do."""
    words = known.head(WORDS_SAMPLE).str.extract_all(r"\p{L}{2,}").explode().drop_nulls()
    texts = min(len(known), WORDS_SAMPLE)
    return len(words) >= WORDS_OF_TITLE * texts and FEWEST_WORDS <= words.n_unique() < RECURRING * len(words)


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, dt.date | dt.time | dt.timedelta) else repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


LOOKS: tuple[tuple[Callable[[pl.DataType], bool], Callable[[pl.Series, Statistics], Guess]], ...] = (
    (lambda dtype: dtype == pl.Boolean, _boolean),
    (lambda dtype: dtype in (pl.Date, pl.Datetime), _moment),
    (lambda dtype: dtype in (pl.Time, pl.Duration), _amount),
    (lambda dtype: dtype.is_numeric(), _number),
    (lambda dtype: dtype == pl.String, _words),
)
