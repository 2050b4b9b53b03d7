"""Puts the source of functions together, with all that they stand on: the body of a script.

What a function names is taken from its module: other definitions there, and whatever that imports from our
own modules. Foreign imports become import lines. Two things of one name do not fit into one script.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

OURS = "flowml."
Defined = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class _Module:
    name: str
    text: str
    defined: dict[str, Defined]
    imported: dict[str, tuple[str, str]]  # name here -> module, its name there; "" for a module as a whole

    def source(self, name: str) -> str:
        node = self.defined[name]
        decorated = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(each.lineno for each in decorated)])
        lines = self.text.splitlines()[first - 1 : node.end_lineno]
        return "\n".join(lines)


@dataclass
class Source:
    """`definitions` in an order in which they can be read; `imports` as name -> module and name there."""

    definitions: dict[str, str] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    _homes: dict[str, str] = field(default_factory=dict)

    def add(self, module: str, name: str) -> None:
        """The definition and all that it stands on."""
        if self._homes.setdefault(name, module) != module:
            raise ValueError(f"{name} is defined in {self._homes[name]} and in {module}")
        home = _module(module)
        if name in self.definitions:
            return
        self.definitions[name] = ""  # it may name itself
        for used in _names(home.defined[name]):
            if used in home.defined:
                self.add(module, used)
            elif used in home.imported:
                self._import(used, *home.imported[used])
        del self.definitions[name]
        self.definitions[name] = home.source(name)

    def find(self, module: str, name: str) -> bool:
        """Whether a module defines or imports the name, which is then added."""
        home = _module(module)
        if name in home.defined:
            self.add(module, name)
        elif name in home.imported:
            self._import(name, *home.imported[name])
        return name in home.defined or name in home.imported

    def add_expression(self, module: str, expression: str) -> str:
        """What the expression stands on; returns it."""
        for used in _names(ast.parse(expression)):
            if used in _module(module).defined:
                self.add(module, used)
        return expression

    def _import(self, name: str, module: str, there: str) -> None:
        if not module.startswith(OURS):
            self.imports[name] = (module, there)
            return
        if there != name:
            raise ValueError(f"{module}.{there} is called {name} elsewhere")
        found = _module(module)
        if name in found.defined:
            self.add(module, name)
        else:
            self._import(name, *found.imported[name])

    @property
    def values(self) -> str:
        """Constants and names of types, an assignment in a line."""
        return "\n".join(dict.fromkeys(text for text in self.definitions.values() if not _is_made(text)))

    @property
    def functions(self) -> tuple[str, ...]:
        """And classes."""
        return tuple(text for text in self.definitions.values() if _is_made(text))

    def import_lines(self) -> str:
        """Those of Python first."""
        whole, parts = set[str](), dict[str, set[str]]()
        for name, (module, there) in self.imports.items():
            if there:
                parts.setdefault(module, set()).add(there)
            else:
                whole.add(f"import {module}" + (f" as {name}" if name != module else ""))
        lines = [
            *sorted(whole),
            *(f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(parts.items())),
        ]
        own = [line for line in lines if _of_python(line)]
        others = [line for line in lines if not _of_python(line)]
        return "\n\n".join("\n".join(group) for group in (own, others) if group)


def _is_made(text: str) -> bool:
    return text.startswith(("def ", "class ", "@"))


def _of_python(line: str) -> bool:
    return line.split()[1].partition(".")[0] in sys.stdlib_module_names


def _names(node: ast.AST) -> Iterator[str]:
    """In the order in which they stand there."""
    seen = dict.fromkeys(each.id for each in ast.walk(node) if isinstance(each, ast.Name))
    yield from seen


@cache
def _module(name: str) -> _Module:
    text = inspect.getsource(importlib.import_module(name))
    defined, imported = dict[str, Defined](), dict[str, tuple[str, str]]()
    for node in ast.parse(text).body:
        match node:
            case ast.FunctionDef(name=called) | ast.ClassDef(name=called):
                defined[called] = node
            case ast.Assign(targets=[ast.Name(id=called)]) | ast.AnnAssign(target=ast.Name(id=called)):
                defined[called] = node
            case ast.Assign(targets=[ast.Tuple(elts=several)]):
                defined |= {each.id: node for each in several if isinstance(each, ast.Name)}
            case ast.Import(names=names):
                imported |= {each.asname or each.name: (each.name, "") for each in names}
            case ast.ImportFrom(module=str(module), names=names):
                imported |= {each.asname or each.name: (module, each.name) for each in names}
    return _Module(name, text, defined, imported)
