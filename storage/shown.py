"""Text of others, such as the names and values of a table, as a terminal or a log may show it."""

from __future__ import annotations

import re

# Control characters but tabs and line ends, and what turns the direction of writing.
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """A terminal would obey some characters: they become U+FFFD."""
    return OBEYED.sub("\N{REPLACEMENT CHARACTER}", text)
