"""One row of a leaderboard in full: what it is, its params, its folds."""

from __future__ import annotations

import streamlit as st

from flowml.storage.records import Job, LeaderboardRow
from flowml.ui import catalog, words
from flowml.ui.components import layout, leaderboard, states

CHAMPION = "champion"


def key(row: LeaderboardRow) -> str:
    """By which the URL names a row."""
    return CHAMPION if row.trial is None else str(row.trial)


def details(row: LeaderboardRow, job: Job) -> None:
    with st.container(border=True):
        head = st.container(horizontal=True, vertical_alignment="center")
        head.subheader(words.plain(leaderboard.name(row)), anchor=False, width="stretch")
        with head:
            states.badge(states.TRIAL_LOOKS[row.state])
            if row.rank not in (None, 1):
                layout.link(
                    head, "results", "Compare with the best", "compare_arrows",
                    job=job.id, view="Compare", rows=f"best,{key(row)}",
                )  # fmt: skip
        st.caption(words.plain(" · ".join(_facts(row))))
        if row.cause:
            st.error(
                words.plain(words.sentence(row.cause)),
                title="Why it did not complete" if row.rank is None else "Why it is not the champion",
                icon=":material/error:",
            )
        left, right = st.columns(2)
        with left:
            _pairs("Params", {name: value(each) for name, each in row.params.items()}, "Parameter")
        with right:
            folds = {f"Fold {i}": words.score(score) for i, score in enumerate(row.fold_scores, start=1)}
            _pairs(f"{catalog.metric(job.metric)} by fold", folds, "Fold")


def _facts(row: LeaderboardRow) -> list[str]:
    speed = f"{words.count(row.rows_per_second)} rows/s" if row.rows_per_second else ""
    facts = [
        f"trial {row.trial}" if row.trial is not None else "",
        row.stage,
        f"{words.duration(row.seconds)} in all" if row.seconds else "",
        f"learned from {words.plural(row.rows, 'row')} of each fold" if row.rows else "",
        f"{row.latency_ms:.2f} ms for one row" if row.latency_ms else "",
        speed,
        words.size(row.size_bytes) if row.size_bytes else "",
        f"on {row.worker}" if row.worker else "",
        f"{row.device} ({row.device_reason})" if row.device_reason else row.device,
    ]
    return [fact for fact in facts if fact]


def _pairs(title: str, pairs: dict[str, str], name: str) -> None:
    st.markdown(f"**{title}**")
    if pairs:
        shown = {
            name: [words.plain(each) for each in pairs],
            "Value": [words.plain(text) for text in pairs.values()],
        }
        st.table(shown, border="horizontal", hide_index=True, alt=title)
    else:
        st.caption("None are kept for this row.")


def value(value: object) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return words.number(value) if number else str(value)  # type: ignore[arg-type]
