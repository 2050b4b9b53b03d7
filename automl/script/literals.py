"""Values as Python source. Whatever they hold, they stay values: texts are quoted as Python quotes them."""

from __future__ import annotations

from typing import Any

WIDTH = 108


def assigned(name: str, value: Any) -> str:
    """`name = value`, in several lines where one is too short."""
    one = f"{name} = {literal(value)}"
    if len(one) <= WIDTH or not isinstance(value, dict | list | tuple) or not value:
        return one
    if isinstance(value, dict):
        items, ends = [f"{literal(key)}: {literal(each)}" for key, each in value.items()], "{}"
    else:
        items, ends = [literal(each) for each in value], "[]"
    return "\n".join([f"{name} = {ends[0]}", *wrapped(items, "    "), ends[1]])


def literal(value: Any) -> str:
    """Raises ValueError for what is no plain JSON."""
    if value is None or isinstance(value, bool | int | str):
        return repr(value)
    if isinstance(value, float):
        return repr(value) if value == value and abs(value) != float("inf") else f'float("{value}")'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(each)}" for key, each in value.items()) + "}"
    raise ValueError(f"{type(value).__name__} is no plain value")


def wrapped(items: list[str], indent: str) -> list[str]:
    """As many items in a line as fit, each followed by a comma."""
    lines = [""]
    for item in items:
        if lines[-1] and len(indent) + len(lines[-1]) + len(item) + 2 > WIDTH:
            lines.append("")
        lines[-1] += f"{' ' if lines[-1] else ''}{item},"
    return [indent + line for line in lines]
