"""Names of columns: stripped, never empty, never twice the same, and no pattern."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flowml.storage.records import Finding, Severity

LONGEST = 200
PATTERN = re.compile(r"\*|\^.*\$", re.DOTALL)  # libraries take such a name for several columns
ADVICE = "Rename it in the file if it should be called otherwise."


def unique_names(written: Sequence[str]) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """A name for each column, and a finding for each that could not keep the one it was given."""
    clean = [" ".join(name.replace("\0", "").split())[:LONGEST] for name in written]
    bare = [name.strip("^$* ") if PATTERN.fullmatch(name) else name for name in clean]
    taken = {name for name in bare if name}
    names: list[str] = []
    findings: list[Finding] = []
    used: set[str] = set()
    for place, name in enumerate(bare, start=1):
        kept = name if name and name not in used else _free(name or f"column_{place}", taken)
        used.add(kept)
        taken.add(kept)
        names.append(kept)
        if kept != clean[place - 1]:
            findings.append(_finding(place, clean[place - 1], kept))
    return tuple(names), tuple(findings)


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def _finding(place: int, name: str, kept: str) -> Finding:
    if not name:
        message = f"Column {place} has no name; it is called {kept!r}."
        return Finding("unnamed_column", Severity.NOTE, message, kept, ADVICE)
    if PATTERN.fullmatch(name):
        message = f"Column {place} is called {name!r}, which is a pattern of names; it is now {kept!r}."
        return Finding("renamed_column", Severity.NOTE, message, kept, ADVICE)
    message = f"Column {place} is called {name!r} like one before it; it is now {kept!r}."
    return Finding("duplicate_column", Severity.WARNING, message, kept, ADVICE)
