"""Stand-ins for all names that came with a table: a language model sees C1 or V3, never what a cell says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from flowml.storage.records import Named, Statement

LETTERS = {"column": "C", "class": "K", "value": "V", "model": "M"}
ALIAS = re.compile(r"(?<![\w.])[CKVM]\d+(?![\w])")
SHORTEST = 3  # letters of a name that is found in a question without quotes around it


@dataclass
class Aliases:
    of_name: dict[Named, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # by alias

    @classmethod
    def of(cls, statements: Iterable[Statement]) -> Aliases:
        found = cls()
        for statement in statements:
            for named in statement.names:
                if named not in found.of_name:
                    letter = LETTERS[named.kind]
                    count = sum(alias.startswith(letter) for alias in found.names)
                    alias = f"{letter}{count + 1}"
                    found.of_name[named], found.names[alias] = alias, named.name
        return found

    def hide(self, statement: Statement) -> str:
        """The statement with stand-ins."""
        return statement.text.format(*(self.of_name[named] for named in statement.names))

    def of_statement(self, statement: Statement) -> frozenset[str]:
        return frozenset(self.of_name[named] for named in statement.names)

    def question(self, text: str) -> str:
        """A question with stand-ins for the names in it, the longest first."""
        for named in sorted(self.of_name, key=lambda each: -len(each.name)):
            bare = re.escape(named.name)
            if len(named.name) < SHORTEST:
                bare = f"[\"'`]{bare}[\"'`]"
            text = re.sub(rf"(?<!\w){bare}(?!\w)", self.of_name[named], text, flags=re.IGNORECASE)
        return text

    def reveal(self, text: str) -> str:
        """With the names again."""
        return ALIAS.sub(lambda found: self.names.get(found[0], found[0]), text)
