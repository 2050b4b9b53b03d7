"""How a lane divides its cores: trials side by side, or threads inside one."""

from __future__ import annotations

from dataclasses import dataclass

CELLS_PER_THREAD = 1_000_000
CHILD_BYTES = 600 * 2**20  # a warm child with every library loaded, without its table
CELL_BYTES = 40  # of a table in a child: the frame, its encodings, the working copies of a fit


@dataclass(frozen=True)
class Plan:
    slots: int  # children side by side
    threads: int  # of each


def divide(rows: int, columns: int, cores: int, memory: int, slots: int | None = None) -> Plan:
    """One thread per million cells, and as many children as that leaves room for.

    On small tables a second thread of one fit mostly waits for the first, while a second trial is a whole
    trial more. On large tables the fits themselves scale, and every child holds the table once more.
    """
    cells = rows * columns
    threads = min(cores, max(1, round(cells / CELLS_PER_THREAD)))
    fitting = max(1, memory // (CHILD_BYTES + cells * CELL_BYTES))
    side_by_side = slots or max(1, min(cores // threads, fitting))
    return Plan(side_by_side, max(1, cores // side_by_side))
