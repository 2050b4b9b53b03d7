"""YAML and TOML: texts that people write by hand, shaped like JSON and read as such."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from flowml.storage.errors import BrokenFile
from flowml.storage.formats.objects import looks_like_json, settled
from flowml.storage.formats.row import Format
from flowml.storage.reading import Reading, typed_reading

DEEPEST = 50
PLAIN = "tag:yaml.org,2002:"
TAGS = frozenset(PLAIN + name for name in ("null", "bool", "int", "float", "timestamp", "str", "seq", "map"))
KEY = r"""(?:"[^"\n]*"|'[^'\n]*'|[\w][\w .\-]*)"""
COMMENTS = re.compile(r"\A(?:\ufeff)?(?:[ \t]*(?:#[^\n]*)?\r?\n)*")
YAML_START = re.compile(
    rf"""%YAML\s|---[ \t]*(?:\r?\n|[#\[{{])  # a directive, or the mark of a document
    |-[ ]+{KEY}:(?:[ \t]|\r?$)               # - name: value
    |-[ ]+[{{\[&!]                           # - {{name: value}}, or a value with an anchor or a tag
    |{KEY}:[ \t]*\r?\n(?:[ ]*-[ ]|[ ]+{KEY}:)  # name:, and below it a list or a mapping
    |{KEY}:[ ]+\[[^\n]*$                     # name: [values]""",
    re.VERBOSE | re.MULTILINE,
)
TOML_START = re.compile(
    r"""\[\[?[ \t]*[\w"'][^\],\n]*\]\]?[ \t]*(?:\#[^\n]*)?\r?$  # [table] or [[table]]
    |[\w"'][\w"' .\-]*=[ \t]*(?:\[|["']|[-+]?\d|true|false)     # name = value""",
    re.VERBOSE | re.MULTILINE,
)


def starts_like_yaml(head: bytes) -> bool:
    return not looks_like_json(head) and bool(YAML_START.match(_beginning(head)))


def starts_like_toml(head: bytes) -> bool:
    return bool(TOML_START.match(_beginning(head)))


def _beginning(head: bytes) -> str:
    text = head[:10_000].decode("utf-8", "replace")
    return COMMENTS.sub("", text, count=1)


def read_toml(path: Path) -> Reading:
    try:
        return typed_reading(settled(tomllib.loads(_text(path, "TOML"))))
    except RecursionError as error:
        raise BrokenFile("The TOML is nested too deeply to be a table.", "Export it again.") from error
    except ValueError as error:  # of TOML itself, and of a number of too many digits
        raise BrokenFile(f"The TOML is damaged: {error}.", "Mend it there.") from error


def read_yaml(path: Path) -> Reading:
    try:
        documents = _Documents(_text(path, "YAML")).all()
    except yaml.YAMLError as error:
        raise BrokenFile(f"The YAML is damaged: {' '.join(str(error).split())}.", "Mend it there.") from error
    except (ValueError, OverflowError) as error:  # such as the 30th of February
        raise BrokenFile(f"The YAML holds a value that is none: {error}.", "Mend it.") from error
    value = documents[0] if len(documents) == 1 else [one for one in documents if one is not None]
    return typed_reading(settled(value))


def _text(path: Path, kind: str) -> str:
    content = path.read_bytes()
    if b"\0" in content:
        raise BrokenFile(f"The {kind} holds a NUL byte, which text never does.", "Export it again.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenFile(f"The {kind} is not in UTF-8 (byte {error.start}).", "Save it as UTF-8.") from error


class _Documents:
    """Values built from the events of the parser, which neither follows aliases nor makes objects of tags."""

    def __init__(self, text: str) -> None:
        self._loader: Any = yaml.CSafeLoader(text) if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader(text)
        self._depth = 0

    def all(self) -> list[Any]:
        documents = []
        while self._loader.check_event():
            event = self._loader.get_event()
            if isinstance(event, yaml.DocumentStartEvent):
                documents.append(self._value(self._loader.get_event()))
        return documents

    def _value(self, event: Any) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.AliasEvent):
            raise BrokenFile(
                f"Line {_line(event)} of the YAML has an alias (*{event.anchor}); aliases are not followed.",
                "Write the value out.",
            )
        _check_tag(event)
        self._depth += 1
        if self._depth > DEEPEST:
            raise BrokenFile("The YAML is nested too deeply to be a table.", "Export it again.")
        value = self._list() if isinstance(event, yaml.SequenceStartEvent) else self._mapping()
        self._depth -= 1
        return value

    def _list(self) -> list[Any]:
        items = []
        while not isinstance(event := self._loader.get_event(), yaml.SequenceEndEvent):
            items.append(self._value(event))
        return items

    def _mapping(self) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        while not isinstance(event := self._loader.get_event(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise BrokenFile(f"Line {_line(event)} of the YAML has a key that is no text.", "Mend it.")
            pairs[event.value] = self._value(self._loader.get_event())
        return pairs

    def _scalar(self, event: Any) -> Any:
        _check_tag(event)
        tag = event.tag or self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag not in TAGS:  # such as a binary, or the signs << and = that mean something elsewhere
            return event.value
        return self._loader.construct_object(yaml.ScalarNode(tag, event.value), deep=True)


def _check_tag(event: Any) -> None:
    if event.tag and event.tag not in TAGS and event.tag != "!":
        raise BrokenFile(
            f"Line {_line(event)} of the YAML has the tag {event.tag[:60]!r}; objects are never made.",
            "Write plain values.",
        )


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


YAML = Format("yaml", "YAML", (".yaml", ".yml"), lambda head, _: starts_like_yaml(head), read_yaml)
TOML = Format("toml", "TOML", (".toml",), lambda head, _: starts_like_toml(head), read_toml)
