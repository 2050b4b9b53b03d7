"""Rows of a leaderboard side by side, or this job beside another one on the same dataset."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import streamlit as st

from flowml.storage.records import ENDED, Job, Json, LeaderboardRow, TrialState
from flowml.ui import catalog, session, words
from flowml.ui.charts import compare
from flowml.ui.charts.compare import Named
from flowml.ui.components import champion, chart, jobs, kept, layout, leaderboard, linked, row
from flowml.ui.session import Query

ROWS, JOBS = "Rows of this job", "Another job"
BEST = "best"  # in a URL: whatever row leads
MOST = 5
OFFERED = 200  # rows to choose from, the best ones
CANDIDATES = 50  # other jobs to choose from


def view(job: Job) -> None:
    how = st.segmented_control(
        "Compare with",
        [ROWS, JOBS],
        default=ROWS,
        required=True,
        key="with",
        bind="query-params",
        help="Other rows of this job, or another job on the same column of this table.",
    )
    if how == ROWS:
        _rows(job)
    else:
        _jobs(job)


# --- rows -------------------------------------------------------------------------------------------------


def _rows(job: Job) -> None:
    complete = [each for each in kept.leaderboard(job) if each.rank is not None]
    if len(complete) < 2:
        st.caption("There are fewer than two complete rows: with a larger budget there is more to compare.")
        return
    known = {row.key(each): each for each in complete}
    asked = _with_best(session.asked(Query.ROWS).split(","), complete)
    options = list(dict.fromkeys([*list(known)[:OFFERED], *(each for each in asked if each in known)]))
    names = {key: _name(known[key]) for key in options}
    chosen = linked.several(
        f"Rows to compare, 2 to {MOST}",
        options,
        Query.ROWS,
        _different(complete),
        names.__getitem__,
        MOST,
        help="The best 200 can be chosen here; a click on any row of the leaderboard offers to compare it.",
    )
    if len(chosen) < 2:
        st.caption("Choose another row to see both beside each other.")
        return
    shown = [Named(names[key], known[key]) for key in chosen]
    _facts(shown, job)
    _charts(shown, job)
    _params(shown)


def _with_best(asked: Sequence[str], complete: Sequence[LeaderboardRow]) -> list[str]:
    """With the leader by its own name, in the URL too."""
    if BEST not in asked:
        return list(asked)
    named = [row.key(complete[0]) if each == BEST else each for each in asked]
    session.remember(Query.ROWS, ",".join(named))
    return named


def _different(complete: Sequence[LeaderboardRow]) -> list[str]:
    """The best row of each of the three best algorithms."""
    first: dict[str, LeaderboardRow] = {}
    for each in complete:
        first.setdefault(each.algorithm, each)
    return [row.key(each) for each in list(first.values())[:3]]


def _name(each: LeaderboardRow) -> str:
    name = leaderboard.name(each)
    number = f" {each.trial}" if each.trial is not None and not name.endswith(str(each.trial)) else ""
    return f"#{each.rank} {name}{number}"


def _facts(shown: Sequence[Named], job: Job) -> None:
    table = leaderboard.frame([each.row for each in shown], job.direction)
    table = table.with_columns(pl.Series("name", [each.name for each in shown]))
    columns = leaderboard.columns([each.row for each in shown], catalog.metric(job.metric), job.direction)
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        column_order=("name", "score", "std", "fit", "latency", "speed", "size", "device"),
        column_config=columns,
        placeholder="–",
        alt=f"Score, spread, times and size of {len(shown)} rows",
    )


def _charts(shown: Sequence[Named], job: Job) -> None:
    metric = catalog.metric(job.metric)
    drawn = []
    if any(each.row.fold_scores for each in shown):
        drawn.append(compare.folds(shown, metric, job.direction))
    rivals = _rivals(job)
    known = [each for each in shown if compare.of(each) in rivals]
    if known and "errors" in rivals[compare.of(known[0])]:
        drawn.append(compare.errors(known, rivals, job.spec.target))
    elif known:
        pooled = job.task == "multiclass"
        drawn += [draw(known, rivals, pooled) for draw in (compare.roc, compare.precision_recall)]
    chart.pairs(drawn, f"compare-{job.id}")
    if len(known) < len(shown):
        st.caption(
            "Curves are kept of the champion, the eight best trials and the best trial of each other "
            f"algorithm, as far as the budget leaves time. {words.plural(len(shown) - len(known), 'row')} "
            "of those chosen have none."
        )


def _rivals(job: Job) -> dict[int | None, Json]:
    model = champion.of(job)
    told: Sequence[Json] = model.diagnostics.get("rivals", ()) if model else ()
    return {each["trial"]: each for each in told}


def _params(shown: Sequence[Named]) -> None:
    names = list(dict.fromkeys(name for each in shown for name in each.row.params))
    lines = {name: [_param(each.row, name) for each in shown] for name in names}
    different = {name: values for name, values in lines.items() if len(set(values)) > 1}
    same = len(lines) - len(different)
    st.subheader("Params that differ", anchor=False)
    if not different:
        st.caption("They have the same params.")
        return
    table = {"Param": list(different)}
    table |= {each.name: [values[i] for values in different.values()] for i, each in enumerate(shown)}
    st.dataframe(table, hide_index=True, alt="Params of the chosen rows that differ")
    if same:
        st.caption(f"{words.plural(same, 'other param')} {'is' if same == 1 else 'are'} the same in all.")


def _param(each: LeaderboardRow, name: str) -> str:
    return row.value(each.params[name]) if name in each.params else words.MISSING


# --- jobs -------------------------------------------------------------------------------------------------


def _jobs(job: Job) -> None:
    found = session.client().jobs(states=ENDED, limit=CANDIDATES, dataset=job.spec.dataset_id)
    others = {each.id: each for each in found if each.id != job.id and each.spec.target == job.spec.target}
    if not others:
        st.caption("No other job has predicted this column of this dataset.")
        layout.link(
            st.container(), "train", "Train again, otherwise", "replay",
            dataset=job.spec.dataset_id, target=job.spec.target,
        )  # fmt: skip
        return
    chosen = linked.select(
        "Other job",
        list(others),
        Query.OTHER,
        lambda id: _job_name(others[id]),
        help="Jobs that have ended on the same column of this table, the newest first.",
        default=next(iter(others)),
    )
    if chosen is None:
        st.caption("Choose a job to see both beside each other.")
        return
    pair = [("This job", job), ("Other job", others[chosen])]
    facts = [_job_facts(each) for _, each in pair]
    table: dict[str, list[str]] = {"": [words.plain(name) for name in facts[0]]}
    table |= {name: [words.plain(text) for text in told.values()]
              for (name, _), told in zip(pair, facts, strict=True)}  # fmt: skip
    st.table(table, border="horizontal", hide_index=True, alt="This job and the other one")
    if job.metric != others[chosen].metric:
        st.caption("Their scores cannot be compared: the two jobs were judged by different metrics.")
        return
    with st.container(border=True):
        drawn = compare.progress(
            [(name, each, kept.trials(each)) for name, each in pair], catalog.metric(job.metric)
        )
        chart.show(drawn, f"progress-{job.id}")
    layout.link(st.container(), "results", "Open the other job", "arrow_forward", job=chosen)


def _job_name(job: Job) -> str:
    best = (
        f", {catalog.metric(job.metric)} {words.score(job.best_score)}" if job.best_score is not None else ""
    )
    return f"{words.middle(jobs.title(job), 50)} ({words.duration(job.spec.budget_s)}{best}, {job.id[-6:]})"


def _job_facts(job: Job) -> dict[str, str]:
    spec = job.spec
    rows = kept.leaderboard(job)
    champion = next((each for each in rows if each.champion), None)
    failed = sum(each.state is TrialState.FAILED for each in rows)
    return {
        "Metric": catalog.metric(job.metric) if job.metric else words.MISSING,
        "Best score": words.score(job.best_score),
        "Spread over folds": words.score(champion.score_std) if champion else words.MISSING,
        "Champion": leaderboard.name(champion) if champion else words.MISSING,
        "Answers one row in": f"{champion.latency_ms:.2f} ms"
        if champion and champion.latency_ms
        else words.MISSING,
        "Size": words.size(champion.size_bytes) if champion else words.MISSING,
        "Trials": f"{job.trials:,} ({failed:,} failed)",
        "Time": f"{words.duration(job.receipt.used_s if job.receipt else None)}"
        f" of {words.duration(spec.budget_s)}",
        "Split": spec.split,
        "Algorithms": words.listing([catalog.algorithm(key) for key in spec.algorithms], 6) or "all",
        "Seed": str(spec.seed),
    }
