"""How numbers, times and names are written on the screen. Pure; nothing here knows Streamlit."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

MISSING = "–"
_COMMAND = re.compile(r"`([^`\x00-\x1f]+)`")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_ISOLATE, _POP = "\u2068", "\u2069"  # keep right-to-left names from turning the words around them
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def plain(name: object) -> str:
    """A name that someone gave, for use inside Markdown: shown as text whatever it holds."""
    return _ISOLATE + _PUNCTUATION.sub(r"\\\1", _CONTROL.sub(" ", str(name))) + _POP


def said(text: str) -> str:
    """A message, for use inside Markdown: text whatever it holds, but for commands between backticks."""
    parts = _COMMAND.split(text)
    return "".join(f"`{part}`" if place % 2 else plain(part) for place, part in enumerate(parts) if part)


def short(name: object, limit: int = 60) -> str:
    """At most `limit` characters, the end cut off and marked."""
    words = str(name)
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def middle(name: object, limit: int = 60) -> str:
    """At most `limit` characters, cut in the middle: names that are alike often differ at the end."""
    words = str(name)
    if len(words) <= limit:
        return words
    head = limit // 2
    return f"{words[:head].rstrip()}…{words[len(words) - (limit - head - 1) :].lstrip()}"


def count(number: float | None) -> str:
    return MISSING if number is None else f"{number:,.0f}"


def plural(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listing(names: Sequence[str], limit: int = 3) -> str:
    """'a, b and c', or 'a, b, c and 4 more'."""
    if len(names) <= 1:
        return "".join(names)
    if len(names) <= limit:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{', '.join(names[:limit])} and {len(names) - limit} more"


def score(number: float | None) -> str:
    """Four decimals up to ten, then five significant digits, as a leaderboard needs them."""
    if number is None or not math.isfinite(number):
        return MISSING
    size = abs(number)
    if size < 10:
        return f"{number:.4f}" if size >= 0.001 or size == 0 else f"{number:.3g}"
    return f"{number:,.{max(0, 4 - int(math.log10(size)))}f}"


def number(amount: float | None) -> str:
    """A value from a table: no more digits than it needs, about six significant."""
    if amount is None or not math.isfinite(amount):
        return MISSING
    if amount == int(amount) and abs(amount) < 1e15:
        return f"{int(amount):,}"
    size = abs(amount)
    if size < 1e-4 or size >= 1e15:
        return f"{amount:.3g}"
    decimals = max(0, 5 - max(0, int(math.log10(size))))
    text = f"{amount:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def percent(share: float | None) -> str:
    if share is None:
        return MISSING
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{share * 100:.1f} %" if 0 < share < 0.1 else f"{share * 100:.0f} %"


def size(amount: float | None) -> str:
    if amount is None:
        return MISSING
    if amount < 1000:
        return f"{amount:.0f} B"
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.5:
            return f"{amount:.{1 if amount < 100 else 0}f} {unit}"
    return f"{amount / 1000:.1f} TB"


def duration(seconds: float | None) -> str:
    """'35 ms', '0.4 s', '12 s', '1 min 5 s', '2 h 3 min', '3 days 4 h'."""
    if seconds is None:
        return MISSING
    if 0 < seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else "under 1 ms"
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _pair(whole // 60, "min", whole % 60, "s")
    if whole < 86400:
        return _pair(whole // 3600, "h", whole % 3600 // 60, "min")
    days = whole // 86400
    return _pair(days, "day" if days == 1 else "days", whole % 86400 // 3600, "h")


def _pair(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large} {unit} {small} {small_unit}" if small else f"{large} {unit}"


def clock(seconds: float | None) -> str:
    """'06:41' or '1:02:03', for a time that runs."""
    if seconds is None:
        return MISSING
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60:02}:{rest % 60:02}"


def ago(at: float | None, now: float) -> str:
    """'just now', '3 min ago', '5 h ago', '2 days ago', else the date."""
    if at is None:
        return MISSING
    seconds = now - at
    if seconds < 45:
        return "just now"
    if seconds < 3570:
        return f"{max(1, round(seconds / 60))} min ago"
    if seconds < 84600:
        return f"{max(1, round(seconds / 3600))} h ago"
    if seconds < 14 * 86400:
        return f"{plural(max(1, round(seconds / 86400)), 'day')} ago"
    return datetime.fromtimestamp(at, UTC).strftime("%-d %b %Y")


def moment(at: float | None, zone: tzinfo | None = None) -> str:
    return MISSING if at is None else datetime.fromtimestamp(at, zone or UTC).strftime("%-d %b %Y, %H:%M")


def sentence(text: str) -> str:
    """With a capital first letter and a full stop."""
    text = text.strip()
    return text if not text else text[0].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")
