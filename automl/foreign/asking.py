"""Rows as JSON into a graph of others, and what it answers as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from flowml.automl.session import open_session
from flowml.storage.errors import ContractError
from flowml.storage.records import ForeignGraph, Json, Port

NUMPY = {"float": "float32", "double": "float64", "string": "object"}
FLOATS = ("float", "double", "float16")
MOST_VALUES = 1_000_000  # of one input or output
OUT_OF_MEMORY = ("bad_alloc", "allocate", "BFCArena")  # in what onnxruntime says


def ask(content: bytes, graph: ForeignGraph, rows: Sequence[Json]) -> dict[str, list[Any]]:
    """One value for each row by the name of each output. Raises ContractError for rows that do not fit."""
    if not rows:
        return {port.name: [] for port in graph.outputs}
    _known(graph, rows)
    feeds = {port.name: _fed(port, [row[port.name] for row in rows]) for port in graph.inputs}
    session = open_session(content)
    names = [port.name for port in graph.outputs]
    one_by_one = any(port.shape[0] == 1 for port in graph.inputs)
    if not one_by_one:
        return _answers(names, _run(session, names, feeds), len(rows))
    found: dict[str, list[Any]] = {name: [] for name in names}
    for row in range(len(rows)):
        one = {name: values[row : row + 1] for name, values in feeds.items()}
        for name, values in _answers(names, _run(session, names, one), 1).items():
            found[name] += values
    return found


def _known(graph: ForeignGraph, rows: Sequence[Json]) -> None:
    wanted = [port.name for port in graph.inputs]
    for number, row in enumerate(rows):
        missing = [name for name in wanted if name not in row]
        extra = [name for name in row if name not in wanted]
        if missing or extra:
            what = f"lacks {_listed(missing)}" if missing else f"has {_listed(extra)}, which is no input"
            raise ContractError(f"Row {number} {what}.", f"The model takes: {_listed(wanted)}.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)[:500]


def _fed(port: Port, values: list[Any]) -> npt.NDArray[Any]:
    """Of shape (rows, …). A row of one value may be given bare or as a list."""
    cells = _all_cells(port, values)
    try:
        made = np.array(cells, dtype=NUMPY.get(port.type, port.type))
    except OverflowError as error:
        raise _unfit(port, "a number is too large or too small") from error
    except (TypeError, ValueError) as error:
        raise _unfit(port, "its lists are of different lengths") from error
    rest = tuple(-1 if length is None else length for length in port.shape[1:])
    if made.size > MOST_VALUES:
        raise _unfit(port, f"{made.size:,} values are more than {MOST_VALUES:,}")
    if rest.count(-1) > 1:
        if made.ndim != len(port.shape):
            raise _unfit(port, f"the values are of shape {list(made.shape[1:])}")
        return made
    try:
        return made.reshape(len(values), *rest)
    except ValueError as error:
        raise _unfit(port, f"a row holds {made.size // len(values)} values") from error


def _all_cells(port: Port, values: list[Any]) -> list[Any]:
    try:
        return [_cells(port, value) for value in values]
    except (ValueError, OverflowError) as error:
        raise _unfit(port, str(error)) from error


def _cells(port: Port, value: Any) -> Any:
    if isinstance(value, list):
        return [_cells(port, each) for each in value]
    if port.type == "string":
        return "" if value is None else str(value)
    if value is None and port.type in FLOATS:
        return math.nan
    if not isinstance(value, bool | int | float):
        raise ValueError(f"{str(value)[:80]!r} is no number")
    if port.type == "bool" and value not in (0, 1):
        raise ValueError(f"{value} is neither true nor false")
    if port.type not in FLOATS and not (math.isfinite(value) and value == int(value)):
        raise ValueError(f"{value} is no whole number")
    return value if port.type in FLOATS else int(value)


def _unfit(port: Port, why: str) -> ContractError:
    shape = " × ".join("any" if length is None else str(length) for length in port.shape[1:]) or "1"
    return ContractError(
        f"What was given for {port.name[:80]!r} does not fit: {why}.",
        f"Expected for a row: {shape} of {port.type}.",
    )


def _run(session: Any, names: list[str], feeds: dict[str, npt.NDArray[Any]]) -> list[Any]:
    try:
        return list(session.run(names, feeds))
    except MemoryError:
        raise
    except Exception as error:  # onnxruntime's own classes share no base below Exception
        first = (str(error).splitlines() or [""])[0][:300]
        if any(sign in first for sign in OUT_OF_MEMORY):
            raise MemoryError from error
        raise ContractError(
            f"The model cannot answer these rows: {first}", "Check what it was made for."
        ) from error


def _answers(names: list[str], outputs: list[Any], rows: int) -> dict[str, list[Any]]:
    return {name: _rows(name, values, rows) for name, values in zip(names, outputs, strict=True)}


def _rows(name: str, values: Any, rows: int) -> list[Any]:
    """One for each row, where the output has rows; else the whole output for each."""
    if isinstance(values, np.ndarray) and values.size > MOST_VALUES:
        raise ContractError(
            f"The output {name[:80]!r} has more than {MOST_VALUES:,} values.", "Ask fewer rows."
        )
    plain = _plain(values.tolist() if isinstance(values, np.ndarray) else values)
    if isinstance(plain, list) and len(plain) == rows:
        return plain
    return [plain] * rows if rows == 1 else [plain] + [None] * (rows - 1)


def _plain(value: Any) -> Any:
    """What JSON can say: infinities and NaN are null."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
