"""Some rows of a leaderboard beside each other, and two jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flowml.storage.records import Job, Json, LeaderboardRow, TrialRecord, TrialState
from flowml.ui import words
from flowml.ui.charts.curves import UNIT
from flowml.ui.charts.figure import LEGEND_ABOVE, Chart, axis, label, layout
from flowml.ui.charts.history import best_so_far, thin
from flowml.ui.charts.palette import colour


@dataclass(frozen=True)
class Named:
    """A row by the name it has beside others, which is its own."""

    name: str
    row: LeaderboardRow


def folds(rows: Sequence[Named], metric: str, direction: str) -> Chart:
    """The score of each row on each fold: what differs by luck, and what on every fold."""
    better = "higher" if direction == "maximize" else "lower"
    return Chart(
        title=f"Score by fold ({metric}, {better} is better)",
        alt="Score on each fold. "
        + " ".join(f"{each.name}: {words.listing([words.score(s) for s in each.row.fold_scores], 12)}."
                   for each in rows),
        traces=tuple(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": label(each.name),
                "x": [f"Fold {i}" for i in range(1, len(each.row.fold_scores) + 1)],
                "y": list(each.row.fold_scores),
                "line": {"color": colour(place), "width": 1.5},
                "marker": {"size": 8, "color": colour(place)},
                "hovertemplate": "%{x}: %{y:.5~g}",
            }
            for place, each in enumerate(rows)
        ),
        layout=_layout(axis("Fold", type="category"), axis(metric)),
        height=320,
    )  # fmt: skip


def roc(rows: Sequence[Named], rivals: Mapping[int | None, Json], pooled: bool) -> Chart:
    return _curves(
        rows, rivals, "roc", "ROC of each" + (", all classes together" if pooled else ""),
        "False positive rate", "True positive rate", "area",
    )  # fmt: skip


def precision_recall(rows: Sequence[Named], rivals: Mapping[int | None, Json], pooled: bool) -> Chart:
    return _curves(
        rows, rivals, "precision_recall",
        "Precision and recall of each" + (", all classes together" if pooled else ""),
        "Recall", "Precision", "AP",
    )  # fmt: skip


def _curves(
    rows: Sequence[Named], rivals: Mapping[int | None, Json], kind: str, title: str, x: str, y: str, area: str
) -> Chart:
    known = [
        (place, each, rivals[key][kind]) for place, each in enumerate(rows) if (key := of(each)) in rivals
    ]
    return Chart(
        title=title,
        alt=f"{title}. "
        + words.listing([f"{each.name}: {area} {words.score(told['area'])}" for _, each, told in known], 5)
        + ".",
        traces=tuple(
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"{label(each.name)} ({area} {words.score(told['area'])})",
                "x": told["x"],
                "y": told["y"],
                "line": {"color": colour(place), "width": 2},
                "hovertemplate": "%{x:.3f}, %{y:.3f}",
            }
            for place, each, told in known
        ),
        layout=_layout(axis(x, range=UNIT), axis(y, range=UNIT)),
        height=340,
    )


def errors(rows: Sequence[Named], rivals: Mapping[int | None, Json], target: str) -> Chart:
    """Of a regression: the share of rows whose error is no larger than a size."""
    known = [(place, each, rivals[key]["errors"]) for place, each in enumerate(rows)
             if (key := of(each)) in rivals]  # fmt: skip
    return Chart(
        title="How large the errors are",
        note="A line further to the left and up errs less.",
        alt="Half of the rows err by no more than "
        + words.listing([f"{words.number(_middle(told))} ({each.name})" for _, each, told in known], 5)
        + ".",
        traces=tuple(
            {
                "type": "scatter",
                "mode": "lines",
                "name": label(each.name),
                "x": told["x"],
                "y": told["y"],
                "line": {"color": colour(place), "width": 2},
                "hovertemplate": "%{y:.0%} of the rows err by %{x:.4~g} or less",
            }
            for place, each, told in known
        ),
        layout=_layout(
            axis(f"Size of the error in {label(target)}", range=[0, _most(known)]),
            axis("Share of the rows", range=UNIT, tickformat=".0%"),
        ),
        height=340,
    )


def of(named: Named) -> int | None:
    """By which its curves are found: the trial's number, none for the ensemble."""
    return named.row.trial


def progress(jobs: Sequence[tuple[str, Job, Sequence[TrialRecord]]], metric: str) -> Chart:
    """The best score of each job so far, by the time since its start."""
    lines = [(name, *_best(job, trials)) for name, job, trials in jobs]
    return Chart(
        title=f"Best score by time ({metric})",
        alt="Best score at the end: "
        + words.listing([f"{name} {words.score(y[-1] if y else None)}" for name, _, y in lines])
        + ".",
        traces=tuple(
            {
                "type": "scatter",
                "mode": "lines",
                "name": label(name),
                "x": x,
                "y": y,
                "line": {"color": colour(place), "width": 2, "shape": "hv"},
                "hovertemplate": "after %{x:.0f} s: %{y:.5~g}",
            }
            for place, (name, x, y) in enumerate(lines)
        ),
        layout=_layout(axis("Time since the start (seconds)"), axis(metric)),
        height=320,
    )


def _best(job: Job, trials: Sequence[TrialRecord]) -> tuple[list[float], list[float]]:
    scored = [t for t in trials if t.state is TrialState.COMPLETE and t.score is not None]
    ended = thin(sorted(scored, key=lambda t: t.started_at + t.seconds), job.direction, 300)
    began = job.started_at or job.created_at
    x = [round(max(0.0, t.started_at + t.seconds - began), 2) for t in ended]
    return x, best_so_far([t.score or 0.0 for t in ended], job.direction)


def _middle(told: Json) -> float:
    return float(told["x"][len(told["x"]) // 2])


def _most(known: Sequence[tuple[int, Named, Json]]) -> float:
    """The far end is cut off: a few large errors would press all else to the left."""
    return (
        max((told["x"][int(0.95 * (len(told["x"]) - 1))] * 1.1 for _, _, told in known), default=1.0) or 1.0
    )


def _layout(x: Json, y: Json) -> Json:
    return layout(x, y, showlegend=True, legend=LEGEND_ABOVE, margin={"l": 56, "r": 12, "t": 44, "b": 44})
