"""The leaderboard as a table that sorts and searches itself, as a CSV file, and at a glance."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import streamlit as st

from flowml.storage.records import LeaderboardRow
from flowml.ui import catalog
from flowml.ui.charts.history import focus
from flowml.ui.components import selection
from flowml.ui.components.states import TRIAL_LOOKS

SCHEMA: dict[str, Any] = {
    "rank": pl.Int64,
    "name": pl.String,
    "score": pl.Float64,
    "std": pl.Float64,
    "standing": pl.Float64,
    "state": pl.String,
    "fit": pl.Float64,
    "latency": pl.Float64,
    "size": pl.Int64,
    "device": pl.String,
    "cause": pl.String,
    "folds": pl.List(pl.Float64),
    "speed": pl.Float64,
    "worker": pl.String,
}
ALWAYS = ("rank", "name", "score", "state")
GLANCE = ("rank", "name", "score", "standing", "fit")
GLANCE_TYPES = {pl.Int64: pa.int64(), pl.String: pa.string(), pl.Float64: pa.float64()}


def name(row: LeaderboardRow) -> str:
    return catalog.algorithm(row.algorithm) if row.name in ("", row.algorithm) else row.name


def frame(rows: Sequence[LeaderboardRow], direction: str) -> pl.DataFrame:
    """One line a row, in the order given, as the table shows it."""
    lines = [
        {
            "rank": row.rank,
            "name": f"★ {name(row)}" if row.champion else name(row),
            "score": row.score,
            "standing": standing,
            "std": row.score_std,
            "folds": list(row.fold_scores) or None,
            "fit": row.fit_seconds or None,
            "latency": row.latency_ms,
            "speed": row.rows_per_second,
            "size": row.size_bytes or None,
            "device": row.device,
            "worker": row.worker,
            "state": TRIAL_LOOKS[row.state].word,
            "cause": row.cause,
        }
        for row, standing in zip(rows, standings(rows, direction), strict=True)
    ]
    return pl.DataFrame(lines, schema=SCHEMA)


def csv(rows: Sequence[LeaderboardRow]) -> bytes:
    """Every row with all that is known of it, as spreadsheets read it."""
    lines = [
        {
            "rank": row.rank,
            "name": _cell(name(row)),
            "algorithm": row.algorithm,
            "score": row.score,
            "score_std": row.score_std,
            "metric": row.metric,
            "fold_scores": " ".join(map(repr, row.fold_scores)),
            "fit_seconds": row.fit_seconds,
            "latency_ms": row.latency_ms,
            "rows_per_second": row.rows_per_second,
            "size_bytes": row.size_bytes,
            "device": row.device,
            "device_reason": _cell(row.device_reason),
            "worker": _cell(row.worker),
            "state": row.state.value,
            "cause": _cell(row.cause),
            "stage": row.stage,
            "trial": row.trial,
            "params": _cell(json.dumps(row.params, ensure_ascii=False)),
        }
        for row in rows
    ]
    return b"\xef\xbb\xbf" + pl.DataFrame(lines, infer_schema_length=None).write_csv().encode()


def _cell(text: str) -> str:
    """No spreadsheet takes it for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def standings(rows: Sequence[LeaderboardRow], direction: str) -> list[float | None]:
    """Each score's place from weak (0) to best (1), whatever the metric's direction; a weak few are all 0."""
    scores = [row.score for row in rows if row.rank is not None and row.score is not None]
    if not scores:
        return [None] * len(rows)
    low, high = focus(scores, direction)
    worst, best = (low, max(scores)) if direction == "maximize" else (high, min(scores))
    span = best - worst
    return [
        None if row.rank is None or row.score is None else max(0.0, (row.score - worst) / span)
        for row in rows
    ]


def show(rows: Sequence[LeaderboardRow], metric: str, direction: str, key: str) -> int | None:
    """The table; gives the place of the row that the reader chose, None while there is none."""
    table = frame(rows, direction)
    return selection.table(
        table,
        key=f"leaderboard-{key}",
        column_order=[column for column in SCHEMA if _says_something(table, column)],
        column_config=columns(rows, metric, direction),
        alt=f"Leaderboard of {len(rows)} models and trials by {metric}",
    )


def at_a_glance(rows: Sequence[LeaderboardRow], direction: str) -> pa.Table:
    """The few columns that matter while a job runs."""
    table = frame(rows, direction).select(GLANCE).to_arrow()
    return table.cast(pa.schema([(name, GLANCE_TYPES[SCHEMA[name]]) for name in GLANCE]))


def glance(table: pa.Table, rows: Sequence[LeaderboardRow], metric: str, direction: str, key: str) -> None:
    """What `at_a_glance` made of the rows; nothing to choose."""
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        key=f"glance-{key}",
        placeholder="–",
        column_config=columns(rows, metric, direction, 200),
        alt=f"The best {len(rows)} trials by {metric}",
    )


def _says_something(table: pl.DataFrame, name: str) -> bool:
    """A column that is empty in every row is left out."""
    column = table[name]
    if name in ALWAYS:
        return True
    return bool((column != "").any()) if column.dtype == pl.String else column.null_count() < len(column)


def columns(
    rows: Sequence[LeaderboardRow], metric: str, direction: str, name_px: int = 220
) -> dict[str, Any]:
    better, arrow = ("Higher", "↑") if direction == "maximize" else ("Lower", "↓")
    digits = f"%,.{_decimals(rows)}f"
    folds = [score for row in rows for score in row.fold_scores]
    low, high = (min(folds), max(folds)) if folds else (0.0, 1.0)
    pad = (high - low) * 0.15 or 0.01
    config = st.column_config
    return {
        "rank": config.NumberColumn("#", width=40, pinned=True, help="Only complete rows have a place."),
        "name": config.TextColumn("Model", width=name_px, pinned=True),
        "score": config.NumberColumn(
            f"{metric} {arrow}",
            format=digits,
            width=max(100, _wide(rows)),
            help=f"{better} is better. Measured on rows that the model has not seen in training.",
        ),
        "standing": config.ProgressColumn(
            "Weak to best",
            format=" ",
            min_value=0.0,
            max_value=1.0,
            width=85,
            help="How the scores compare; the weak few are drawn as empty.",
        ),
        "std": config.NumberColumn(
            "± std", format=digits, width=max(70, _wide(rows) - 15), help="Spread of the score over folds."
        ),
        "folds": config.BarChartColumn(
            "Folds", y_min=low - pad, y_max=high, width=90, help="The score on each fold."
        ),
        "fit": config.NumberColumn("Fit", format="%.2f s", width=72, help="Seconds to fit all folds."),
        "latency": config.NumberColumn(
            "Per row",
            format="%.2f ms",
            width=75,
            help="To predict one row on one thread. Only the best few are measured.",
        ),
        "speed": config.NumberColumn(
            "Rows/s", format="%,.0f", width=85, help="Predicted in one second, many at once, on one thread."
        ),
        "size": config.NumberColumn("Size", format="bytes", width=80, help="Of the model, all folds."),
        "device": config.TextColumn(
            "Device", width=60, help="What it was fitted on; a click on the row tells why not on a GPU."
        ),
        "worker": config.TextColumn("Machine", width=110, help="The worker that evaluated it."),
        "state": config.TextColumn("State", width=80),
        "cause": config.TextColumn("Cause", width="large", help="Why it did not complete."),
    }


def _wide(rows: Sequence[LeaderboardRow]) -> int:
    """Pixels for the longest score."""
    longest = max((abs(row.score) for row in rows if row.score is not None), default=0.0)
    return 30 + 8 * len(f"{longest:,.{_decimals(rows)}f}")


def _decimals(rows: Sequence[LeaderboardRow]) -> int:
    """Four below ten, fewer for larger scores: five significant digits."""
    largest = max((abs(row.score) for row in rows if row.rank is not None and row.score), default=0.0)
    return 4 if largest < 10 else max(0, 4 - int(math.log10(largest)))
