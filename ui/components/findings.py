"""What a check noticed, each with the button that mends it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from flowml.storage.records import Dataset, Finding, Role, Severity
from flowml.ui import catalog, session, words
from flowml.ui.components import layout
from flowml.ui.components.faults import explained

ICONS = {
    Severity.NOTE: ":gray[:material/info:]",
    Severity.WARNING: ":orange[:material/warning:]",
    Severity.ERROR: ":red[:material/error:]",
}
# What the button of a fix says, by the kind of the finding.
LABELS = {
    "disguised_missing": "Mark as missing",
    "outliers": "Mark as missing",
    "mixed_types": "Read as numbers",
    "tiny_class": "Leave these rows out",
    "duplicate_rows": "Keep one of each",
    "repeated_entities": "Keep them together",
    "time_order": "Split by time",
    "identifier": "Mark as identifier",
}
DONE = {Role.IGNORED: "is left out", Role.IDENTIFIER: "names rows and is left out"}


def cards(found: Sequence[Finding], dataset: Dataset, page: str, target: str = "") -> None:
    """One line each. A fix that makes another version leads to that version on the same `page`."""
    for place, finding in enumerate(found):
        _card(finding, dataset, page, target, place)


def _card(finding: Finding, dataset: Dataset, page: str, target: str, place: int) -> None:
    said, button = st.columns([5, 2] if page == "train" else [6, 1.5], vertical_alignment="center")
    advice = f"  \n:gray[{words.plain(finding.advice)}]" if finding.advice else ""
    said.markdown(
        f"{ICONS[finding.severity]} {words.plain(finding.message)}{advice}", help=_evidence(finding)
    )
    label, key = _label(finding, page), f"fix-{place}-{finding.kind}-{finding.column}"
    if label and "metric" in finding.fix:
        metric = str(finding.fix["metric"])
        button.button(
            label,
            key=key,
            help=_what(finding),
            on_click=session.choose_metric,
            args=(metric,),
            width="stretch",
        )
    elif label and button.button(label, key=key, help=_what(finding), width="stretch"):
        _apply(finding, dataset, page, target)


def _label(finding: Finding, page: str) -> str | None:
    """None where there is nothing to click; a metric is chosen where a job is."""
    metric = finding.fix.get("metric")
    if metric:
        return f"Use {catalog.metric(str(metric))}" if page == "train" else None
    return LABELS.get(finding.kind, "Leave out") if finding.fix else None


def _what(finding: Finding) -> str:
    if "query" in finding.fix:
        return "Makes the next version of this dataset; this one stays as it is."
    if "metric" in finding.fix:
        return "Chooses the metric of this job."
    return "Changes what the column is for, in this and later jobs. The view Roles can take it back."


def _evidence(finding: Finding) -> str | None:
    """The figures behind a finding, one a line."""
    lines = [
        f"{name.replace('_', ' ')}: {words.short(value, 200)}" for name, value in finding.evidence.items()
    ]
    return "\n\n".join(words.plain(line) for line in lines if line) or None


def _apply(finding: Finding, dataset: Dataset, page: str, target: str) -> None:
    with explained(), st.spinner("Mending the table…"):
        changed = session.client().apply(dataset.id, finding)
    session.leave_notice(_notice(finding, changed))
    query = {"dataset": changed.id, **({"target": target} if target else {})}
    layout.go(page, **query)


def _notice(finding: Finding, changed: Dataset) -> str:
    if "query" in finding.fix:
        return f"Made version {changed.version} of {changed.name}."
    if "split" in finding.fix:
        kind, _, column = str(finding.fix["split"]).partition(":")
        return f"Jobs on {changed.name} are split by {column}, their {kind}."
    name, role = next(iter(finding.fix["roles"].items()))
    return f"{name} {DONE.get(Role(role), f'is now {role}')}."
