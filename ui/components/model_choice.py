"""The choice of a model by the job that it came from; any other by the page's address."""

from __future__ import annotations

from collections.abc import Mapping

from flowml.storage.records import ModelEntry
from flowml.ui import catalog, session, words
from flowml.ui.components import clock, jobs, linked
from flowml.ui.session import Query

LISTED = 1000  # newest jobs whose models can be chosen; any other by its address


def known() -> dict[str, ModelEntry]:
    """The champions of ended jobs by their ids, the newest first."""
    return {entry.id: entry for entry in session.client().model_entries(LISTED)}


def choose(models: Mapping[str, ModelEntry]) -> str | None:
    """The id of a model: that of the address, else the newest."""
    asked = session.asked(Query.MODEL)
    return linked.select(
        "Model",
        list(models) if asked in models or not asked else [asked, *models],
        Query.MODEL,
        lambda id: _words(models[id]) if id in models else id,
        help="The best model of each job that has ended, the newest first. Type to find one.",
        default=next(iter(models), None),
    )


def _words(entry: ModelEntry) -> str:
    score = f"{catalog.metric(entry.metric)} {words.score(entry.score)}"
    title = jobs.named(entry.job_name, entry.dataset_name, entry.target)
    return f"{title}: {score}, {clock.ago(entry.ended_at)}"
