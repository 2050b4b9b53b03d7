"""Names of columns that say what the values are: keys of things, places, times."""

from __future__ import annotations

import re

KEY = re.compile(r"ids?|uuid|guid|key|pk|index|idx|serial|row(num|number|id|no)|recordno")
# Things whose number is written in one word with them: customerid, orderno.
THINGS = (
    "user|customer|client|cust|order|product|item|account|acct|member|patient|student|employee|emp|transaction|"
    "trans|txn|invoice|session|device|passenger|row|record|case|loan|policy|vehicle|store|shop|article|game|"
    "player|match|team|ticket|event|visit|person|subject|sample|object|listing|host|booking|contract|company|"
    "household|application|applicant|respondent|animal|house|property|unique|ext|external|internal"
)
JOINED = re.compile(rf"({THINGS})(id|no|nr|num|number|key)")
PLACE = re.compile(r".*\b(zip|zip ?codes?|post ?codes?|postal ?codes?|postal|plz)")
TIME = re.compile(r"t|time|date|day|week|month|year|quarter|hour|minute|second|step|period|epoch|age|rank")
UNNAMED = re.compile(r"column_1|unnamed:? ?0", re.IGNORECASE)


def words_of(name: str) -> list[str]:
    """`customerID`, `Customer Id` and `customer_id` are all [customer, id]."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    parted = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", parted)
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", parted) if word]


def names_keys(name: str) -> bool:
    words = words_of(name)
    if not words:
        return False
    last, joined = words[-1], "".join(words[-2:])
    return any((KEY.fullmatch(last), JOINED.fullmatch(last), JOINED.fullmatch(joined)))


def names_things(name: str) -> bool:
    """Whether it is called after what has keys: patient, device."""
    words = words_of(name)
    return bool(words) and bool(re.fullmatch(THINGS, words[-1]))


def names_places(name: str) -> bool:
    return bool(PLACE.fullmatch(" ".join(words_of(name))))


def names_time(name: str) -> bool:
    return any(TIME.fullmatch(word) for word in words_of(name))


def is_unnamed(name: str) -> bool:
    """The first column without a name, as tools write row numbers."""
    return bool(UNNAMED.fullmatch(name))
