"""The first things to see of a job that has ended: its numbers and its leaderboard."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from flowml.storage.records import Job, LeaderboardRow, TrialState
from flowml.ui import catalog, words
from flowml.ui.components import figures, kept, leaderboard, row, states

PAGE = 500  # rows of the table at a time
BASELINE = "dummy"
FEW = 8  # rows that need no filter


def figures_of(job: Job) -> None:
    rows = kept.leaderboard(job)
    receipt = job.receipt
    failed = sum(row.state is TrialState.FAILED for row in rows)
    trials = receipt.trials if receipt else {}
    number = sum(trials.values()) or job.trials
    better = "higher is better" if job.direction == "maximize" else "lower is better"
    champion = next((row for row in rows if row.champion), None)
    with figures.strip():
        figures.card(
            catalog.metric(job.metric) if job.metric else "Score",
            words.score(job.best_score),
            _against_baseline(job, rows) or better,
            help=f"{better.capitalize()}. Measured on rows that the models have not seen in training.",
        )
        figures.card(
            "Champion",
            catalog.algorithm(champion.algorithm) if champion else words.MISSING,
            _beside(champion),
        )
        figures.card("Trials", words.count(number), f"{failed:,} failed" if failed else "none failed")
        if receipt:
            figures.card("Time", words.duration(receipt.used_s), f"of {words.duration(receipt.budget_s)}")
    if champion and champion.algorithm == BASELINE:
        st.info(
            "No model that learns was taken: each did worse than this one or did not end in time. "
            "A longer budget or other columns may help.",
            title="The champion is the baseline, which looks at no column",
            icon=":material/info:",
        )


def _beside(champion: LeaderboardRow | None) -> str:
    """What stands below the champion's name."""
    if champion is None:
        return "no model was made"
    return f"± {words.score(champion.score_std)} over folds" if champion.score_std else ""


def _against_baseline(job: Job, rows: tuple[LeaderboardRow, ...]) -> str:
    dummy = next((row.score for row in rows if row.algorithm == BASELINE and row.score is not None), None)
    if dummy is None or job.best_score is None:
        return ""
    return f"{words.score(dummy)} without learning"


def leaderboard_view(job: Job) -> None:
    rows = kept.leaderboard(job)
    if not rows:
        st.caption(
            "No trial has ended in this job, so there is nothing to rank. The view Receipt and the page Logs "
            "tell what it did."
        )
        return
    found = _filtered(rows, job) if len(rows) > FEW else list(rows)
    if not found:
        st.caption("No row is of that kind. Take a filter away to see more.")
        return
    shown = _page(found)
    chosen = leaderboard.show(shown, catalog.metric(job.metric), job.direction, job.id)
    if chosen is None:
        st.caption("Click a row to see its params and folds; click a heading to sort.")
    else:
        row.details(shown[chosen], job)


def _filtered(rows: Sequence[LeaderboardRow], job: Job) -> list[LeaderboardRow]:
    """Those that the reader asks for, and the button that takes them along."""
    line = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    algorithms = list(dict.fromkeys(row.algorithm for row in rows))
    chosen = line.multiselect(
        "Algorithm",
        algorithms,
        format_func=catalog.algorithm,
        key="algorithms",
        bind="query-params",
        placeholder="All algorithms",
        help="Shows only rows of these.",
    )
    met = list(dict.fromkeys(row.state.value for row in rows))
    state = line.multiselect(
        "State",
        met,
        format_func=lambda each: states.TRIAL_LOOKS[TrialState(each)].word,
        key="states",
        bind="query-params",
        placeholder="All states",
        help="Shows only rows that ended so.",
    )
    found = [r for r in rows if (not chosen or r.algorithm in chosen) and (not state or r.state in state)]
    line.download_button(
        "CSV",
        lambda: leaderboard.csv(found),
        f"{job.id}-leaderboard.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        help=f"All {words.plural(len(found), 'row')} with params, folds and causes.",
    )
    return found


def _page(rows: list[LeaderboardRow]) -> list[LeaderboardRow]:
    pages = -(-len(rows) // PAGE)
    if pages == 1:
        return rows
    number = min(pages, int(st.session_state.get("board", 1)))
    shown = rows[PAGE * (number - 1) : PAGE * number]
    line = st.container(horizontal=True, vertical_alignment="center")
    first = PAGE * (number - 1) + 1
    line.caption(f"Rows {first:,} to {first + len(shown) - 1:,} of {len(rows):,}, best first.")
    with line:
        st.pagination(pages, key="board", bind="query-params")
    return shown
