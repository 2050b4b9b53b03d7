"""The receipt of a job: what was asked of the clock, what was used, what was noticed."""

from __future__ import annotations

import streamlit as st

from flowml.storage.records import Finding, Job
from flowml.ui import catalog, words
from flowml.ui.components import budget, findings


def view(job: Job) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(border=True):
        st.subheader("Time budget", anchor=False)
        if job.receipt is None:
            st.caption("No receipt was written: the job ended before it could finish.")
        else:
            budget.ended(job.receipt, f"receipt-{job.id}")
            _sentences("Left out for want of time", job.receipt.cut)
            _sentences("Notes", job.receipt.notes)
    with right, st.container(border=True):
        st.subheader("What was asked", anchor=False)
        _asked(job)
    if job.findings:
        st.subheader("What the check noticed", anchor=False)
        with st.container(border=True, gap="small"):
            for finding in job.findings:
                _finding(finding)


def _sentences(title: str, sentences: tuple[str, ...]) -> None:
    if sentences:
        lines = "\n".join(f"- {words.plain(words.sentence(text))}" for text in sentences)
        st.markdown(f"**{title}**\n\n{lines}")


def _asked(job: Job) -> None:
    spec = job.spec
    pairs = {
        "Target": spec.target,
        "Task": _chosen(spec.task, str(job.task or "")),
        "Metric": _chosen(spec.metric, catalog.metric(job.metric) if job.metric else ""),
        "Split": spec.split,
        "Folds": "auto" if spec.folds is None else str(spec.folds),
        "Algorithms": ", ".join(map(catalog.algorithm, spec.algorithms)) or "all",
        "Most trials": "no limit" if spec.max_trials is None else str(spec.max_trials),
        "Seed": str(spec.seed),
        "Job": job.id,
    }
    pairs_shown = {
        "": [f":gray[{name}]" for name in pairs],
        " ": [words.plain(text) for text in pairs.values()],
    }
    st.table(
        pairs_shown, border="horizontal", hide_index=True, hide_header=True, alt="What was asked of the job"
    )


def _chosen(asked: str, became: str) -> str:
    """What was asked, and what it became where that was left to us."""
    return f"{asked} ({became})" if asked == "auto" and became else asked


def _finding(finding: Finding) -> None:
    advice = f" :gray[{words.plain(finding.advice)}]" if finding.advice else ""
    st.markdown(f"{findings.ICONS[finding.severity]} {words.plain(finding.message)}{advice}")
