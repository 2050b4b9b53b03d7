"""Encodings: what is made of the feeds before a library learns from them. Each has an exact twin in ONNX.

To add a block of features: one class with `transform` and `build`, listed in `encoding.BLOCKS`. To add an
encoding: one row in ENCODINGS. A test compares every row with its twin, bit by bit.

An encoding of SUPERVISED is one of ENCODINGS with means of the target beside it. They differ from fold to
fold, so that `Prepared` puts the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from flowml.automl.contract import Contract, Feeds, Kind, rows_of
from flowml.automl.features.block import Block, Matrix
from flowml.automl.features.categories import Codebook, Codes, Dummies
from flowml.automl.features.dates import DateDummies, DateParts, DateSpans
from flowml.automl.features.encoding import Encoding
from flowml.automl.features.means import MOST_CLASSES
from flowml.automl.features.numbers import Numbers, Scaled
from flowml.automl.features.text import Words
from flowml.automl.shape import MANY
from flowml.storage.errors import SpecError

__all__ = ["ENCODINGS", "SUPERVISED", "Encoding", "EncodingKind", "Matrix", "base_of", "fit", "widths"]

MOST_CODES = 1_000  # categories of one column with a code of their own
MOST_DUMMIES = 100  # categories of one column with a feature of their own
DUMMY_CELLS = 250_000_000  # features times rows that one-hot columns may take in all: 1 GB
MOST_WORDS = 60  # of one column of text, with a feature of their own


@dataclass(frozen=True)
class EncodingKind:
    """One row of ENCODINGS."""

    key: str
    label: str
    fit: Callable[[Contract, Feeds], tuple[Block, ...]]


def fit(key: str, contract: Contract, feeds: Feeds) -> Encoding:
    """Learn an encoding from all rows of a data set, without its target."""
    if key not in ENCODINGS:
        raise SpecError(f"There is no encoding {key!r}.", f"Use one of {', '.join(ENCODINGS)}.")
    return Encoding(key, tuple(block for block in ENCODINGS[key].fit(contract, feeds) if block.names))


def base_of(key: str) -> str:
    """The encoding of ENCODINGS that one of either table is made on."""
    if key not in ENCODINGS and key not in SUPERVISED:
        known = ", ".join((*ENCODINGS, *SUPERVISED))
        raise SpecError(f"There is no encoding {key!r}.", f"Use one of {known}.")
    return SUPERVISED.get(key, key)


def widths(contract: Contract) -> tuple[int, int]:
    """About how many features the encodings with means give, for trees and for linear models."""
    sides = min(len(contract.classes), MOST_CLASSES) if len(contract.classes) > 2 else 1
    trees = linear = 0
    for column in contract.columns:
        categories = len(column.categories)
        means = sides if column.kind is Kind.TEXT or categories > MANY else 0
        for_trees, for_linear = {
            Kind.NUMBER: (1, 1),
            Kind.STRING: (1, min(categories, MOST_DUMMIES)),
            Kind.DATETIME: (4, 20),
            Kind.TEXT: (2 + MOST_WORDS, 2 + MOST_WORDS),
        }[column.kind]
        trees, linear = trees + for_trees + means, linear + for_linear + means
    return trees, linear


def _feeds_of(contract: Contract, kind: Kind) -> tuple[str, ...]:
    return tuple(column.feed for column in contract.columns if column.kind is kind)


def rarest_of(rows: int) -> int:
    """How often a category must occur to stand for itself."""
    return max(2, rows // 2_000) if rows >= 50 else 1


def _coded(native: bool) -> Callable[[Contract, Feeds], tuple[Block, ...]]:
    def blocks(contract: Contract, feeds: Feeds) -> tuple[Block, ...]:
        rarest = rarest_of(rows_of(feeds))
        names = _feeds_of(contract, Kind.STRING)
        books = tuple(Codebook.fit(name, feeds, MOST_CODES, rarest, always=True) for name in names)
        if not native:
            books = tuple(replace(book, missing=None) for book in books)
        return (
            Numbers(_feeds_of(contract, Kind.NUMBER)),
            Codes(books, native),
            *(DateParts.fit(name, feeds) for name in _feeds_of(contract, Kind.DATETIME)),
            DateSpans.fit(_feeds_of(contract, Kind.DATETIME), feeds, scaled=False),
            *(Words.fit(name, feeds, MOST_WORDS) for name in _feeds_of(contract, Kind.TEXT)),
        )

    return blocks


def _onehot(contract: Contract, feeds: Feeds) -> tuple[Block, ...]:
    rows, columns = rows_of(feeds), _feeds_of(contract, Kind.STRING)
    most = max(2, min(MOST_DUMMIES, DUMMY_CELLS // max(1, rows * len(columns))))
    rarest = max(rarest_of(rows), rows // 1_000)
    books = tuple(Codebook.fit(name, feeds, most, rarest, always=False) for name in columns)
    numbers = _feeds_of(contract, Kind.NUMBER)
    return (
        *((Scaled.fit(numbers, feeds),) if numbers else ()),
        Dummies(books),
        *(DateDummies.fit(name, feeds) for name in _feeds_of(contract, Kind.DATETIME)),
        DateSpans.fit(_feeds_of(contract, Kind.DATETIME), feeds, scaled=True),
        *(Words.fit(name, feeds, MOST_WORDS) for name in _feeds_of(contract, Kind.TEXT)),
    )


_KINDS = (
    EncodingKind("ordinal", "numbers, categories as codes", _coded(native=False)),
    EncodingKind(
        "native", "numbers, categories as codes that the library splits as sets", _coded(native=True)
    ),
    EncodingKind("onehot", "standardised numbers, one column for each category", _onehot),
)
ENCODINGS = {kind.key: kind for kind in _KINDS}
SUPERVISED = {f"{key}_means": key for key in ENCODINGS}
