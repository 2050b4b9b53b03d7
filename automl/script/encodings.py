"""How the features of a row are spelled in a script: one expression for each block of its encoding."""

from __future__ import annotations

from flowml.automl.contract import Kind
from flowml.automl.features import (
    DUMMY_CELLS,
    MOST_CODES,
    MOST_DUMMIES,
    MOST_WORDS,
    SUPERVISED,
    base_of,
    rarest_of,
)
from flowml.automl.features.means import MOST_KINDS, RAREST
from flowml.automl.features.words import MOST_WORDS as MOST_MEANS
from flowml.automl.features.words import RAREST as RAREST_WORD
from flowml.automl.script.basis import Basis
from flowml.automl.shape import MANY


def blocks(key: str, basis: Basis) -> list[str]:
    """Expressions over `table`, whose matrices stand side by side."""
    base, rows = base_of(key), basis.rows
    linear = base == "onehot"
    numbers, strings = basis.columns(Kind.NUMBER), basis.columns(Kind.STRING)
    dates, texts = basis.columns(Kind.DATETIME), basis.columns(Kind.TEXT)
    rarest = max(rarest_of(rows), rows // 1_000) if linear else rarest_of(rows)
    most = max(2, min(MOST_DUMMIES, DUMMY_CELLS // max(1, rows * len(strings)))) if linear else MOST_CODES
    coded = f"codes(texts(table[name]), {most}, {rarest}, always={not linear}"
    coded += f", missing_as_nan={base == 'ordinal'})"
    found = []
    if numbers:
        each = "[numbers(table[name]) for name in NUMBERS]"
        found.append(f"scaled_numbers({each})" if linear else f"np.column_stack({each}).astype(np.float32)")
    if strings:
        each = "for name in CATEGORIES"
        found.append(
            f"np.hstack([dummies({coded}) {each}])" if linear else f"np.column_stack([{coded}[0] {each}])"
        )
    part = "date_dummies" if linear else "date_parts"
    found += [f"*({part}(seconds(table[name])) for name in DATES)"] if dates else []
    if len(dates) > 1:
        found.append(f"date_spans([seconds(table[name]) for name in DATES], scaled={linear})")
    found += [f"*(word_features(texts(table[name]), most={MOST_WORDS}) for name in TEXTS)"] if texts else []
    return found


def names(basis: Basis) -> dict[str, list[str]]:
    """The constants that `blocks` and `lessons` name."""
    return {
        "NUMBERS": list(basis.columns(Kind.NUMBER)),
        "CATEGORIES": list(basis.columns(Kind.STRING)),
        "DATES": list(basis.columns(Kind.DATETIME)),
        "TEXTS": list(basis.columns(Kind.TEXT)),
        "MANY": taught_columns(basis),  # categories
    }


def categorical(key: str, basis: Basis) -> list[int]:
    """Features that libraries may split as sets of categories."""
    if base_of(key) != "native":
        return []
    first = len(basis.columns(Kind.NUMBER))
    taught = set(taught_columns(basis)) if key in SUPERVISED else set[str]()
    strings = basis.columns(Kind.STRING)
    return [first + place for place, name in enumerate(strings) if name not in taught]


def taught_columns(basis: Basis) -> list[str]:
    """Columns of so many categories that each gets the mean of the target."""
    return [
        column.name
        for column in basis.known.columns
        if column.kind is Kind.STRING and len(column.categories) > MANY
    ]


def lessons(key: str, basis: Basis) -> list[str]:
    """What an encoding with means looks at before the folds: statements, none where no column is worth it."""
    taught, texts = taught_columns(basis), list(basis.columns(Kind.TEXT))
    if key not in SUPERVISED or not (taught or texts):
        return []
    coded = f"codes(texts(table[name]), {MOST_KINDS}, {RAREST}, always=True, missing_as_nan=False)"
    words = f"known_words(texts(table[name]), {MOST_MEANS}, {RAREST_WORD})"
    return [
        f"coded = [{coded} for name in MANY]",
        f"vocabularies = [words for name in TEXTS if (words := {words}).size]",
    ]
