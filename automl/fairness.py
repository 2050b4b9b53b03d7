"""How differently a model treats the groups of one column.

For two classes: the share that is answered as the second class (demographic parity), the share of its rows
that is found (equal opportunity) and the share of the other rows that is taken for it (with the former:
equalized odds; Hardt, Price and Srebro 2016). For all tasks the mean error, for a
regression the mean residual. The figures say how groups differ, not why, and not whether that is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flowml.storage.records import Json, Task

FEWEST_ROWS = 30  # of a group that is compared

MEASURES: dict[Task, tuple[str, ...]] = {
    Task.BINARY: ("predicted", "hit_rate", "false_alarms", "error"),
    Task.MULTICLASS: ("error",),
    Task.REGRESSION: ("residual", "error"),
}


def gaps(task: Task, groups: Sequence[Mapping[str, Any]]) -> list[Json]:
    """[{measure, gap, ratio, least {label, value}, most {label, value}}] of what `groups.by_group` gives.

    gap: the most minus the least; ratio: the least by the most, None where that is not above 0. Groups of
    fewer than FEWEST_ROWS rows are not compared; [] where fewer than two are left.
    """
    large = [group for group in groups if group["rows"] >= FEWEST_ROWS]
    found = []
    for measure in MEASURES[task]:
        known = [group for group in large if group.get(measure) is not None]
        if len(known) < 2:
            continue
        least = min(known, key=lambda group: float(group[measure]))
        most = max(known, key=lambda group: float(group[measure]))
        low, high = float(least[measure]), float(most[measure])
        found.append(
            {
                "measure": measure,
                "gap": high - low,
                "ratio": low / high if low >= 0 and high > 0 else None,
                "least": {"label": least["label"], "value": low},
                "most": {"label": most["label"], "value": high},
            }
        )
    return found
