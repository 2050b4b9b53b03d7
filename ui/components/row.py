"""One row of a leaderboard in full: what it is, its params, its folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from flowml.runner import scripts
from flowml.storage.errors import FlowMLError
from flowml.storage.records import ACTIVE, Agreement, Job, JobState, LeaderboardRow
from flowml.ui import catalog, session, words
from flowml.ui.components import clock, layout, leaderboard, states
from flowml.ui.components.faults import box

CHAMPION = "champion"
VERDICTS: dict[Agreement, tuple[str, str, Literal["green", "red", "orange", "gray"]]] = {
    Agreement.SAME: ("Verified", "verified", "green"),
    Agreement.DIFFERENT: ("Came out differently", "error", "red"),
    Agreement.EXCUSED: ("Differs, for a known reason", "info", "orange"),
    Agreement.NOTHING: ("Nothing to compare", "remove", "gray"),
}


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
        if row.trial is not None and row.fold_scores:
            _script(row, job)
            _verified(job.id, row.trial)
        with right:
            folds = {f"Fold {i}": words.score(score) for i, score in enumerate(row.fold_scores, start=1)}
            _pairs(f"{catalog.metric(job.metric)} by fold", folds, "Fold")


def _script(row: LeaderboardRow, job: Job) -> None:
    """The row as a program of its own, or why it cannot be one."""
    assert row.trial is not None
    try:
        script, notebook = (
            scripts.script_of(session.client(), job.id, row.trial, format) for format in scripts.FORMATS
        )
    except FlowMLError as error:
        st.caption(words.plain(str(error)))
        return
    line = st.container(horizontal=True, gap="small", vertical_alignment="center")
    for label, text, format, kind in (
        ("Script", script, scripts.SCRIPT, "text/x-python"),
        ("Notebook", notebook, scripts.NOTEBOOK, "application/x-ipynb+json"),
    ):
        line.download_button(
            label,
            text,
            scripts.name_of(job.id, row.trial, format),
            kind,
            icon=":material/code:" if format == scripts.SCRIPT else ":material/book_2:",
            on_click="ignore",
            help="Rebuilds this row with public libraries and without FlowML, from the table as Parquet: "
            "*Download* on the page of its dataset.",
            key=f"{format}-{row.trial}",
        )


@st.fragment(run_every=2.0)
def _verified(job_id: str, trial: int) -> None:
    """Whether the row gave the same scores again, and the button that lets a worker look."""
    known = [each for each in session.client().verifications(job_id) if _of(each, trial)]
    running = bool(known) and known[0].state in ACTIVE
    line = st.container(horizontal=True, gap="small", vertical_alignment="center")
    pressed = line.button(
        "Verify",
        icon=":material/fact_check:",
        key=f"verify-{trial}",
        disabled=running,
        help="A worker evaluates this row once more from the table, the folds, the params and the seed.",
    )
    with line:
        _stamp(known)
    if pressed:
        try:
            session.client().verify_row(job_id, trial)
        except FlowMLError as error:
            box(error)
        else:
            st.rerun(scope="fragment")


def _of(job: Job, trial: int) -> bool:
    return job.verifying is not None and job.verifying.row.number == trial


def _stamp(known: Sequence[Job]) -> None:
    """What came of the newest that has come to something."""
    if not known:
        st.caption("It was not verified yet.", width="content")
        return
    newest = known[0]
    stamps = (each.verifying for each in known if each.verifying and each.verifying.verdict)
    told = next(stamps, None)
    if newest.state in ACTIVE:
        waits = newest.started_at is None
        st.badge("Waits for a worker" if waits else "Is evaluated again", icon=":material/hourglass:")
    elif newest.state is JobState.FAILED:
        st.caption(words.plain(f"It could not be verified. {newest.cause}"))
    elif told is not None and told.verdict is not None:
        look = VERDICTS[told.verdict.agreement]
        st.badge(look[0], icon=f":material/{look[1]}:", color=look[2])
        gap = f"difference {told.verdict.gap:.2g}" if told.verdict.gap is not None else ""
        facts = [gap, f"on {told.worker}", clock.ago(told.at), told.verdict.why]
        st.caption(words.plain(" · ".join(fact for fact in facts if fact)), width="content")


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
