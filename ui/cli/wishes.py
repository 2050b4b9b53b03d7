"""What users write of a training: times, sizes, names and roles."""

from __future__ import annotations

import typer

from flowml.runner import kinds
from flowml.storage.records import Role


def seconds(text: str) -> float:
    try:
        return kinds.duration(text)
    except ValueError:
        expected = "expected a time such as 60s, 5m, 1h, or plain seconds"
        raise typer.BadParameter(f"{text!r} is no budget; {expected}.", param_hint="--budget") from None


def size(text: str) -> int:
    try:
        return kinds.size(text)
    except ValueError:
        expected = "expected a size such as 500kB, 20MB or plain bytes"
        raise typer.BadParameter(f"{text!r} is no size; {expected}.", param_hint="--max-size") from None


def names(text: str) -> tuple[str, ...]:
    return kinds.parts(text)


def role(text: str) -> tuple[str, Role]:
    """A column and its role, of COLUMN=ROLE; the name itself may hold an equals sign."""
    name, _, word = text.rpartition("=")
    if not name or word not in tuple(Role):
        expected = f"expected COLUMN=ROLE with one of {', '.join(Role)}"
        raise typer.BadParameter(f"{text!r} gives no role; {expected}.", param_hint="--role")
    return name, Role(word)
