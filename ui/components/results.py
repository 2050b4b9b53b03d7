"""The first things to see of a job that has ended: its numbers and its leaderboard."""

from __future__ import annotations

import streamlit as st

from flowml.storage.records import Job, LeaderboardRow, TrialState
from flowml.ui import catalog, session, words
from flowml.ui.components import figures, leaderboard, states


def figures_of(job: Job) -> None:
    rows = session.client().leaderboard(job.id)
    receipt = job.receipt
    failed = sum(row.state is TrialState.FAILED for row in rows)
    trials = receipt.trials if receipt else {}
    number = sum(trials.values()) or job.trials
    better = "higher is better" if job.direction == "maximize" else "lower is better"
    best = next((row for row in rows if row.rank == 1), None)
    with figures.strip():
        figures.card(
            catalog.metric(job.metric) if job.metric else "Score",
            words.score(job.best_score),
            _against_baseline(job, rows) or better,
            help=f"{better.capitalize()}. Measured on rows that the models have not seen in training.",
        )
        figures.card(
            "Champion",
            _champion(best),
            f"± {words.score(best.score_std)} over folds" if best and best.score_std else "",
        )
        figures.card("Trials", words.count(number), f"{failed} failed" if failed else "none failed")
        if receipt:
            figures.card("Time", words.duration(receipt.used_s), f"of {words.duration(receipt.budget_s)}")


def _champion(best: LeaderboardRow | None) -> str:
    return words.MISSING if best is None else catalog.algorithm(best.algorithm)


def _against_baseline(job: Job, rows: tuple[LeaderboardRow, ...]) -> str:
    dummy = next((row.score for row in rows if row.algorithm == "dummy" and row.score is not None), None)
    if dummy is None or job.best_score is None:
        return ""
    return f"{words.score(dummy)} without learning"


def leaderboard_view(job: Job) -> None:
    rows = session.client().leaderboard(job.id)
    if not rows:
        st.caption("No trial has ended in this job.")
        return
    chosen = leaderboard.show(rows, catalog.metric(job.metric), job.direction, job.id)
    if chosen is None:
        st.caption("Click a row to see its params and folds; click a heading to sort.")
    else:
        _details(rows[chosen], job)


def _details(row: LeaderboardRow, job: Job) -> None:
    with st.container(border=True):
        head = st.container(horizontal=True, vertical_alignment="center")
        head.subheader(leaderboard.name(row), anchor=False, width="stretch")
        with head:
            states.badge(states.TRIAL_LOOKS[row.state])
        facts = [
            f"trial {row.trial}" if row.trial is not None else "",
            row.stage,
            f"{words.duration(row.seconds)} in all" if row.seconds else "",
            f"on {words.plain(row.worker)}" if row.worker else "",
            row.device,
        ]
        st.caption(" · ".join(fact for fact in facts if fact))
        if row.cause:
            st.error(
                words.plain(words.sentence(row.cause)),
                title="Why it did not complete",
                icon=":material/error:",
            )
        left, right = st.columns(2)
        with left:
            _pairs("Params", {key: _value(value) for key, value in row.params.items()}, "Parameter")
        with right:
            folds = {f"Fold {i}": words.score(score) for i, score in enumerate(row.fold_scores, start=1)}
            _pairs(f"{catalog.metric(job.metric)} by fold", folds, "Fold")


def _pairs(title: str, pairs: dict[str, str], name: str) -> None:
    st.markdown(f"**{title}**")
    if pairs:
        shown = {
            name: [words.plain(key) for key in pairs],
            "Value": [words.plain(text) for text in pairs.values()],
        }
        st.table(shown, border="horizontal", hide_index=True, alt=title)
    else:
        st.caption("None are kept for this row.")


def _value(value: object) -> str:
    return (
        words.number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
    )
