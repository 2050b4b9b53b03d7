"""The base of all records: to and from plain JSON."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Any, Self, TypeAlias, TypeVar

Json: TypeAlias = dict[str, Any]
Kind = TypeVar("Kind", bound="Record")


class Record:
    """Base of all records: to and from plain JSON."""

    def to_dict(self) -> Json:
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls, values: Json) -> Self:
        kind: Any = cls
        return cls(**{name: read(values[name]) for name, read in _readers(kind).items() if name in values})


def read_record(kind: type[Kind], text: bytes | str | None) -> Kind | None:
    """A record from JSON that somebody wrote where others write too; None for what is none."""
    try:
        return None if text is None else record_of(kind, json.loads(text))
    except (ValueError, RecursionError):
        return None


def record_of(kind: type[Kind], values: Any) -> Kind | None:
    """The same from values that are read already; each field must have its type."""
    try:
        record, hint = kind.from_dict(values), typing.cast(Any, kind)
        return record if _judge(hint)(record) else None
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None


Read: TypeAlias = Callable[[Any], Any]
Judge: TypeAlias = Callable[[Any], bool]


@cache
def _hints(kind: type) -> dict[str, Any]:
    known = {f.name for f in dataclasses.fields(kind)}
    return {name: hint for name, hint in typing.get_type_hints(kind).items() if name in known}


@cache
def _readers(kind: type) -> dict[str, Read]:
    return {name: _reader(hint) for name, hint in _hints(kind).items()}


@cache
def _reader(hint: Any) -> Read:
    """What makes a value of that type from plain JSON. None stays None; what does not fit stays as it is."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [each for each in arguments if each is not type(None)]
        return _reader(inner[0]) if len(inner) == 1 else _same
    if origin in (tuple, list):
        item = _reader(arguments[0])
        return lambda value: None if value is None else origin(map(item, value))
    if origin is dict:
        item = _reader(arguments[1])
        return lambda value: None if value is None else {key: item(each) for key, each in value.items()}
    if isinstance(hint, type) and issubclass(hint, Record):
        return lambda value: None if value is None else hint.from_dict(value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return lambda value: None if value is None else hint(value)
    if hint is float:
        return lambda value: float(value) if isinstance(value, int) else value
    return _same


def fitting(kind: type[Record], name: str, value: Any) -> Any:
    """The value as that field holds it. Raises TypeError or ValueError for one that it does not hold."""
    hint = _hints(typing.cast(Any, kind))[name]
    try:
        read = _reader(hint)(value)
    except AttributeError as error:
        raise TypeError(name) from error
    if not _judge(hint)(read):
        raise TypeError(name)
    return read


def _same(value: Any) -> Any:
    return value


@cache
def _judges(kind: type) -> tuple[tuple[str, Judge], ...]:
    return tuple((name, _judge(hint)) for name, hint in _hints(kind).items())


@cache
def _judge(hint: Any) -> Judge:
    """What tells whether a value has that type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        either = tuple(map(_judge, arguments))
        return lambda value: any(judge(value) for judge in either)
    if origin in (tuple, list):
        item = _judge(arguments[0])
        return lambda value: isinstance(value, origin) and all(map(item, value))
    if origin is dict:
        key, item = map(_judge, arguments)
        return lambda value: isinstance(value, dict) and all(key(k) and item(v) for k, v in value.items())
    if hint is Any or not isinstance(hint, type):
        return lambda _: True
    if issubclass(hint, Record):
        return lambda value: (
            isinstance(value, hint)
            and all(judge(getattr(value, name)) for name, judge in _judges(typing.cast(Any, type(value))))
        )
    if hint in (int, float):
        return lambda value: isinstance(value, hint) and not isinstance(value, bool)
    return lambda value: isinstance(value, hint)


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
