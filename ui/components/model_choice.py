"""The choice of a model by the job that it came from; any other by the page's address."""

from __future__ import annotations

from flowml.storage.records import Job
from flowml.ui import catalog, session, words
from flowml.ui.components import clock, jobs, linked
from flowml.ui.session import Query

LISTED = 1000  # newest jobs whose models can be chosen; any other by its address


def choose(models: dict[str, Job]) -> str | None:
    """The id of a model: that of the address, else the newest."""
    asked = session.asked(Query.MODEL)
    return linked.select(
        "Model",
        list(models) if asked in models or not asked else [asked, *models],
        Query.MODEL,
        lambda id: _words(models[id]) if id in models else id,
        default=next(iter(models), None),
    )


def _words(job: Job) -> str:
    score = f"{catalog.metric(job.metric)} {words.score(job.best_score)}"
    return f"{jobs.title(job)}: {score}, {clock.ago(job.ended_at)}"
