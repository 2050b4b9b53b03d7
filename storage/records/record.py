"""The base of all records: to and from plain JSON."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from enum import StrEnum
from typing import Any, Self, TypeAlias, TypeVar

Json: TypeAlias = dict[str, Any]
Kind = TypeVar("Kind", bound="Record")


class Record:
    """Base of all records: to and from plain JSON."""

    def to_dict(self) -> Json:
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls, values: Json) -> Self:
        hints = _hints(cls)
        return cls(**{name: _typed(values[name], hint) for name, hint in hints.items() if name in values})


def read_record(kind: type[Kind], text: bytes | str | None) -> Kind | None:
    """A record from JSON that somebody wrote where others write too; None for what is none."""
    try:
        return None if text is None else kind.from_dict(json.loads(text))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None


_HINTS: dict[type, dict[str, Any]] = {}


def _hints(cls: type) -> dict[str, Any]:
    if cls not in _HINTS:
        known = {f.name for f in dataclasses.fields(cls)}
        _HINTS[cls] = {name: hint for name, hint in typing.get_type_hints(cls).items() if name in known}
    return _HINTS[cls]


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _typed(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [a for a in arguments if a is not type(None)]
        return _typed(value, inner[0]) if len(inner) == 1 else value
    if origin is tuple:
        return tuple(_typed(item, arguments[0]) for item in value)
    if origin is list:
        return [_typed(item, arguments[0]) for item in value]
    if origin is dict:
        return {key: _typed(item, arguments[1]) for key, item in value.items()}
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_dict(value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(value)
    if hint is float and isinstance(value, int):
        return float(value)
    return value
