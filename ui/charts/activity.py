"""What a studio did day by day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from flowml.storage.records import Day
from flowml.ui import words
from flowml.ui.charts.figure import Chart, axis, counts_axis, layout
from flowml.ui.charts.palette import PRIMARY, colour

DAY_S = 86_400.0


def whole(days: Sequence[Day], today: float, number: int) -> list[Day]:
    """The last days up to today, those without a job included."""
    known = {day.starts_at: day for day in days}
    first = today - (number - 1) * DAY_S
    moments = [first + i * DAY_S for i in range(number)]
    return [known.get(moment, Day(moment, 0, 0, 0.0)) for moment in moments]


def jobs(days: Sequence[Day]) -> Chart:
    """Those that failed stand on top of the others."""
    drawn = _bars(days, "Jobs", "Jobs started", lambda day: day.jobs, PRIMARY, words.count)
    failed = sum(day.failed for day in days)
    if not failed:
        return drawn
    well, wrong = dict(drawn.traces[0]), dict(drawn.traces[0])
    well |= {"name": "Others", "y": [day.jobs - day.failed for day in days]}
    wrong |= {"name": "Failed", "y": [day.failed for day in days], "marker": {"color": colour(3)}}
    wrong["hovertemplate"] = "%{x}: %{y:,} failed<extra></extra>"
    return replace(
        drawn,
        note=f"{drawn.note}, {failed:,} failed",
        alt=f"{drawn.alt} {words.count(failed)} failed.",
        traces=(well, wrong),
        layout={**drawn.layout, "barmode": "stack"},
    )


def trials(days: Sequence[Day]) -> Chart:
    return _bars(days, "Trials", "Trials", lambda day: day.trials, colour(1), words.count)


def hours(days: Sequence[Day]) -> Chart:
    return _bars(
        days,
        "Hours",
        "Hours trained",
        lambda day: round(day.seconds / 3600, 3),
        colour(4),
        lambda amount: words.duration(amount * 3600) if amount else "none",
    )


def _bars(
    days: Sequence[Day],
    title: str,
    unit: str,
    amount: Callable[[Day], float],
    shade: str,
    written: Callable[[float], str],
) -> Chart:
    whole = all(float(value).is_integer() for value in map(amount, days))
    amounts = [amount(day) for day in days]
    busiest = max(range(len(days)), key=lambda i: amounts[i])
    names = [_name(day.starts_at) for day in days]
    return Chart(
        title=f"{title} per day",
        note=f"{written(sum(amounts))} in {words.plural(len(days), 'day')}",
        alt=f"{title} in {words.plural(len(days), 'day')}: {written(sum(amounts))}, "
        f"most on {names[busiest]} ({written(amounts[busiest])}).",
        traces=(
            {
                "type": "bar",
                "x": names,
                "y": amounts,
                "marker": {"color": shade},
                "hovertemplate": "%{x}: %{y:,.4~g}<extra></extra>",
            },
        ),
        layout=layout(
            axis("Day", type="category", nticks=3, tickangle=0),
            counts_axis(unit, max(amounts)) if whole else axis(unit, rangemode="tozero", nticks=4),
            bargap=0.25,
        ),
        height=190,
    )


def _name(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%-d %b")
