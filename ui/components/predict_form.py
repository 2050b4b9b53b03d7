"""A form made from a model's contract: one field for each column that the model expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from flowml.storage.records import Model, Record
from flowml.ui import words

FIRST = 12  # fields shown at once; the rest fold away
MOST = 60  # fields that unfold


@dataclass(frozen=True)
class Field(Record):
    """What the contract says of a column, as far as a form needs it."""

    name: str
    kind: str  # number, string, datetime, text
    role: str = ""
    type: str = ""
    categories: tuple[str, ...] = ()
    complete: bool = True
    minimum: float | None = None
    maximum: float | None = None
    missing_share: float = 0.0
    example: str | float | None = None
    zoned: bool = False

    @property
    def whole(self) -> bool:
        return self.type == "integer"

    @property
    def typical(self) -> str | float | int | None:
        """The example as the column has it: 29 rather than 29.0 in a column of whole numbers."""
        if self.kind == "datetime" and self.zoned and isinstance(self.example, str):
            return f"{self.example.removesuffix('Z')}Z"
        if self.kind != "number" or not isinstance(self.example, int | float):
            return self.example
        return int(self.example) if self.whole else float(self.example)


def fields(model: Model) -> list[Field]:
    """Those that matter most to the model first."""
    weight = {importance.column: importance.mean for importance in model.importances}
    known = [Field.from_dict(column) for column in model.contract.get("columns", [])]
    return sorted(known, key=lambda field: -weight.get(field.name, 0.0))


def show(model: Model) -> dict[str, Any]:
    """The row that the reader describes; a field left empty is missing."""
    asked = fields(model)
    row = _grid(model, asked[:FIRST])
    rest = asked[FIRST:]
    if not rest:
        return row
    with st.expander(words.plural(len(rest), "more column"), icon=":material/unfold_more:"):
        row |= _grid(model, rest[:MOST])
        if len(rest) > MOST:
            st.caption(f"The least important {len(rest) - MOST} keep their typical values.")
    return row | {field.name: field.typical for field in rest[MOST:]}


def beyond(model: Model, row: dict[str, Any]) -> list[str]:
    """Numbers outside what training saw, of which the model knows nothing."""
    found = []
    for field in fields(model):
        value, low, high = row.get(field.name), field.minimum, field.maximum
        if field.kind != "number" or not isinstance(value, int | float) or low is None or high is None:
            continue
        if not low <= value <= high:
            seen = f"{words.number(low)} to {words.number(high)}"
            found.append(f"{field.name}: {words.number(value)} is beyond what training saw, {seen}")
    return found


def _grid(model: Model, asked: Sequence[Field]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    with st.grid(min_column_width=210, vertical_alignment="bottom"):
        for field in asked:
            row[field.name] = _INPUTS.get(field.kind, _text)(field, f"{model.id}-{field.name}")
    return row


def _begin(key: str, value: object) -> None:
    """A field that is given a value as its default comes back to it when it is emptied."""
    if key not in st.session_state:
        st.session_state[key] = value


def _number(field: Field, key: str) -> float | None:
    """Also where all were whole: such a field would cut 2.5 to 2, and holds no number beyond 2**53."""
    _begin(key, float(field.example) if isinstance(field.example, int | float) else None)
    return st.number_input(
        words.plain(field.name),
        value=None,
        step=1.0 if field.whole else _step(field),
        key=key,
        format="%g",  # all digits, in the browser
        placeholder="missing",
        help=_range(field, words.number(field.minimum), words.number(field.maximum)),
    )


def _step(field: Field) -> float:
    """About a fiftieth of the range, as a round number."""
    if field.minimum is None or field.maximum is None or field.maximum <= field.minimum:
        return 1.0
    return float(f"{(field.maximum - field.minimum) / 50:.0e}")


def _category(field: Field, key: str) -> str | None:
    seen = [str(value) for value in field.categories]
    _begin(key, str(field.example) if str(field.example) in seen else None)
    count = f"{len(seen)}{'' if field.complete else ' most frequent'}"
    return st.selectbox(
        words.plain(field.name),
        seen,
        index=None,
        key=key,
        accept_new_options=True,
        placeholder="missing",
        help=f"{count} values were seen in training; any other can be typed in.",
    )


def _moment(field: Field, key: str) -> str | None:
    low, high = (words.moment(edge)[:-7] for edge in (field.minimum, field.maximum))
    value = minute(_datetime(field.example))
    first, last = span(field, value)
    _begin(key, value)
    chosen = st.datetime_input(
        words.plain(field.name),
        value=None,
        min_value=first,
        max_value=last,
        key=key,
        help=_range(field, low, high),
    )
    if chosen is None or chosen == value:
        return None if chosen is None else str(field.typical)
    return chosen.isoformat() + "Z" * field.zoned


def minute(moment: datetime | None) -> datetime | None:
    """What a field of a date holds of it."""
    return None if moment is None else moment.replace(second=0, microsecond=0)


def span(field: Field, value: datetime | None) -> tuple[datetime, datetime]:
    """The first and last moment that can be chosen: what was seen, `value`, and some centuries at least."""
    ends = [_datetime(edge) for edge in (field.minimum, field.maximum) if edge is not None]
    years = [1900, 2200, *(moment.year for moment in (*ends, value) if moment is not None)]
    return datetime(min(years), 1, 1), datetime(max(years), 12, 31, 23, 59)


def _datetime(example: str | float | None) -> datetime | None:
    if isinstance(example, int | float):
        return datetime.fromtimestamp(example, UTC).replace(tzinfo=None)
    return datetime.fromisoformat(example).replace(tzinfo=None) if example else None


def _text(field: Field, key: str) -> str | None:
    example = "" if field.example is None else str(field.example)
    return (
        st.text_input(
            words.plain(field.name),
            value=example,
            key=key,
            placeholder="missing",
            help="Empty it to leave it missing.",
        )
        or None
    )


def _range(field: Field, low: str, high: str) -> str | None:
    if field.minimum is None or field.maximum is None:
        return None
    missing = f" {words.percent(field.missing_share)} were missing." if field.missing_share else ""
    return f"Seen in training: {low} to {high}.{missing} Empty it to leave it missing."


_INPUTS = {"number": _number, "string": _category, "datetime": _moment, "text": _text}
