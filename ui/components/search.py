"""How a study went: its history, what its params did, which machine worked when, how trials ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from flowml.runner.parameters import LEAST
from flowml.storage.records import Job, TrialRecord, TrialState
from flowml.ui import catalog, words
from flowml.ui.charts import slices
from flowml.ui.charts.algorithms import by_algorithm
from flowml.ui.charts.history import history
from flowml.ui.charts.outcomes import outcomes
from flowml.ui.charts.parallel import parallel
from flowml.ui.charts.timeline import timeline
from flowml.ui.components import chart, kept, linked
from flowml.ui.components.faults import explained
from flowml.ui.session import Query

FEW = 3  # complete trials below which params cannot be compared
SLICES = 6


def view(job: Job) -> None:
    tried = kept.trials(job)
    if not tried:
        st.caption("No trial was begun in this job: there is no search to look at.")
        return
    _over_time(job, tried)
    st.subheader("What the params did", anchor=False)
    _params(job, tried)


def _over_time(job: Job, tried: Sequence[TrialRecord]) -> None:
    metric, labels = catalog.metric(job.metric) or "Score", catalog.algorithms()
    started = job.started_at or job.created_at
    with st.container(border=True):
        best = history(tried, job.direction, metric, started, job.spec.budget_s, labels)
        chart.show(best, f"search-history-{job.id}")
    lanes = timeline(tried, started, labels)
    if lanes:
        with st.container(border=True):
            chart.show(lanes, f"timeline-{job.id}")
    drawn = by_algorithm(tried, job.direction, metric, labels), outcomes(tried)
    chart.pairs([each for each in drawn if each is not None], f"ends-{job.id}")


def _params(job: Job, tried: Sequence[TrialRecord]) -> None:
    complete = [t for t in tried if t.state is TrialState.COMPLETE and t.score is not None]
    counted = Counter(t.algorithm for t in complete)
    offered = [key for key, number in counted.most_common() if number >= FEW]
    offered = [key for key in offered if slices.differing([t for t in complete if t.algorithm == key])]
    if not offered:
        st.caption(
            "No algorithm was tried often enough with different params to say what they did. "
            "A larger budget, or fewer algorithms, gives more trials of each."
        )
        return
    chosen = linked.select(
        "Algorithm",
        offered,
        Query.ALGORITHM,
        lambda key: f"{catalog.algorithm(key)} ({words.plural(counted[key], 'trial')})",
        default=offered[0],
        help="Params belong to one algorithm, so one is looked at at a time.",
    )
    if chosen is not None:
        _of_algorithm(job, chosen, [t for t in complete if t.algorithm == chosen])


def _of_algorithm(job: Job, key: str, trials: Sequence[TrialRecord]) -> None:
    metric, params = catalog.metric(job.metric), slices.differing(trials)
    shares = _importance(job, key, len(trials))
    ordered = sorted(params, key=lambda name: -shares.get(name, 0.0))
    if shares:
        with st.container(border=True):
            drawn = slices.importance(shares, catalog.algorithm(key), len(trials))
            chart.show(drawn, f"params-{job.id}-{key}")
    with st.container(border=True):
        chart.show(parallel(trials, ordered, job.direction, metric), f"parallel-{job.id}-{key}")
    shown = ordered[:SLICES]
    sliced = [slices.slice_of(trials, name, job.direction, metric) for name in shown]
    chart.pairs(sliced, f"slice-{job.id}-{key}")
    if len(ordered) > len(shown):
        left_out = words.listing([words.plain(name) for name in ordered[SLICES:]], 8)
        st.caption(f"Not drawn one by one: {left_out}.")


def _importance(job: Job, key: str, trials: int) -> dict[str, float]:
    if trials < LEAST:
        st.caption(f"Which params matter is told from {LEAST} complete trials on; there are {trials}.")
        return {}
    with explained(), st.spinner("Working out which params matter"):
        return kept.importance(job).get(key, {})
