"""The report of a model: one HTML file with its charts inside, which asks no network and prints well.

`gather` asks the studio, `report_of` writes. To add a section: a function of Facts and a row in SECTIONS.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flowml.storage.records import Task
from flowml.storage.version import VERSION
from flowml.ui import catalog, tasks, words
from flowml.ui.report import data, intervals, limits, markup, quality, search
from flowml.ui.report.facts import Facts, gather
from flowml.ui.report.svg import escaped

__all__ = ["SECTIONS", "Facts", "gather", "report_of"]

ALONE = "default-src 'none'; style-src 'unsafe-inline'"  # it asks nobody and runs nothing
STYLE = Path(__file__).with_name("report.css")


@dataclass(frozen=True)
class Section:
    key: str  # in the address, after the #
    title: str
    body: Callable[[Facts], str]


SECTIONS: tuple[Section, ...] = (
    Section("data", "Data", data.data),
    Section("findings", "What the check found", data.findings),
    Section("split", "How it was checked", data.split),
    Section("search", "Search", search.search),
    Section("metrics", "Metrics", quality.metrics),
    Section("calibration", "Calibration", quality.calibration),
    Section("importance", "What it looks at", quality.importance),
    Section("slices", "Where it errs", quality.slices),
    Section("limits", "Limits", limits.limits),
    Section("receipt", "Receipt of the budget", search.receipt),
    Section("reproduction", "Do it again", search.reproduction),
)


def report_of(facts: Facts, now: float | None = None) -> str:
    """The whole file. `now` is when it is written, seconds since 1970."""
    title = f"{facts.model.name}: {facts.target}"
    contents = "".join(f'<li><a href="#{row.key}">{escaped(row.title)}</a></li>' for row in SECTIONS)
    sections = "".join(
        f'<section id="{row.key}"><h2>{escaped(row.title)}</h2>{row.body(facts)}</section>'
        for row in SECTIONS
    )
    written = words.moment(time.time() if now is None else now)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{ALONE}">'
        f"<title>{escaped(title)}</title><style>{STYLE.read_text(encoding='utf-8')}</style></head><body><main>"
        f'<header><p class="kind">Report of a model</p><h1>{escaped(facts.model.name)}</h1>'
        f"{markup.paragraph(_summary(facts), 'lead')}{_figures(facts)}</header>"
        f'<nav aria-label="Contents"><ol>{contents}</ol></nav>{sections}'
        f"<footer>{escaped(f'Written by FlowML {VERSION} on {written} UTC.')}</footer></main></body></html>"
    )


def _summary(facts: Facts) -> str:
    model, metric = facts.model, catalog.metric(facts.model.metric)
    found = intervals.of_folds(facts.champion.fold_scores) if facts.champion else None
    reach = f" (95 %: {markup.between(found)})" if found else ""
    dummy = facts.diagnostics.get("baseline", {}).get("score")
    than = f"; without looking at any column it would be {words.score(dummy)}" if dummy is not None else ""
    top = [each.column for each in model.importances[:3] if each.mean > 0]
    looks = f" It looks most at {words.listing(top)}." if top else ""
    what = "the number" if model.task is Task.REGRESSION else "the class"
    return (
        f"Predicts {what} {facts.target} of rows like those of {facts.job.dataset_name}. On rows that it had "
        f"not seen, its {metric} is {words.score(model.score)}{reach}{than}.{looks}"
    )


def _figures(facts: Facts) -> str:
    model = facts.model
    better = "higher is better" if facts.job.direction == "maximize" else "lower is better"
    known = [
        (catalog.metric(model.metric), words.score(model.score), better),
        ("Over folds", f"± {words.score(model.score_std)}", ""),
        ("Task", tasks.WORDS[model.task], ""),
        ("Rows learned from", words.count(facts.rows), ""),
        ("One row", f"{model.latency_ms:.2g} ms" if model.latency_ms is not None else words.MISSING, ""),
        ("Model file", words.size(model.onnx.size), "ONNX"),
        ("Registered", ", ".join(map(_name, facts.registered)), ""),
    ]
    cards = "".join(
        f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd><dd class=note>{escaped(note)}</dd></div>"
        for name, value, note in known
        if value and value != f"± {words.MISSING}"
    )
    members = ""
    if len(model.members) > 1:
        rows = [
            (name, words.percent(weight)) for name, weight in zip(model.members, model.weights, strict=True)
        ]
        members = markup.table(("Made of", "Weight"), rows, (1,))
    return f'<dl class="figures">{cards}</dl>{members}'


def _name(registered: object) -> str:
    name, version, aliases = (getattr(registered, each) for each in ("name", "version", "aliases"))
    return f"{name}:{version}" + "".join(f" @{alias}" for alias in aliases)
