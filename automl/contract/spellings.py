"""Other spellings of the categories of a column that mean the same: 1.0 for 1, yes for true."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from flowml.automl.contract.values import TRUTHS

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
K = TypeVar("K", bound=Hashable)
_TRUTHS = {**TRUTHS, "1": 1.0, "0": 0.0}


@dataclass(frozen=True)
class Spellings:
    """Only what one category alone can be meant by is kept."""

    numbers: dict[float, str] = field(default_factory=dict)
    truths: dict[float, str] = field(default_factory=dict)  # where all categories are truth values
    folded: dict[str, str] = field(default_factory=dict)  # in lower case

    @classmethod
    def of(cls, categories: Iterable[str]) -> Spellings:
        names = tuple(categories)
        numbers = _one_each((value, name) for name in names if (value := _number(name)) is not None)
        truths = [(_TRUTHS.get(name.lower()), name) for name in names]
        whole = all(value is not None for value, _ in truths) and len({value for value, _ in truths}) == len(
            names
        )
        return cls(
            numbers,
            {value: name for value, name in truths if value is not None} if whole else {},
            _one_each((name.casefold(), name) for name in names),
        )

    def find(self, text: str) -> str | None:
        """The category that a text means, which is none itself."""
        value = _number(text)
        found = None if value is None else self.numbers.get(value)
        truth = _TRUTHS.get(text.lower())
        return found if found is not None or truth is None else self.truths.get(truth)


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _one_each(pairs: Iterable[tuple[K, str]]) -> dict[K, str]:
    found: dict[K, str] = {}
    several: set[K] = set()
    for key, name in pairs:
        if key in found:
            several.add(key)
        found[key] = name
    return {key: name for key, name in found.items() if key not in several}
