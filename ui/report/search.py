"""What was tried on the way to a model, what was spent on it, and how to do it again."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from flowml.storage.records import JobSpec, LeaderboardRow, TrialRecord, TrialState
from flowml.storage.version import VERSION
from flowml.ui import catalog, words
from flowml.ui.charts.history import history
from flowml.ui.report import markup
from flowml.ui.report.facts import Facts
from flowml.ui.report.svg import drawn

MOST_ROWS = 20  # of the leaderboard
MOST_CAUSES = 10


def search(facts: Facts) -> str:
    ended = [trial for trial in facts.trials if trial.score is not None]
    counts: dict[str, int] = defaultdict(int)
    for trial in facts.trials:
        counts[trial.state.value] += 1
    stated = ", ".join(f"{number:,} {state}" for state, number in sorted(counts.items()))
    parts = [markup.paragraph(f"{words.plural(len(facts.trials), 'trial')}: {stated}." if stated else NONE)]
    if ended and facts.job.started_at is not None:
        labels = catalog.algorithms()
        metric = catalog.metric(facts.model.metric)
        chart = history(
            ended, facts.job.direction, metric, facts.job.started_at, facts.job.spec.budget_s, labels
        )
        parts.append(drawn(replace(chart, note=chart.note.partition(";")[0])))  # paper has no second click
    parts += [_algorithms(facts, ended), _leaderboard(facts.board), _causes(facts.trials)]
    return "".join(parts)


NONE = "No trial is known of this search."


def _algorithms(facts: Facts, ended: Iterable[TrialRecord]) -> str:
    best = max if facts.job.direction == "maximize" else min
    of: dict[str, list[TrialRecord]] = defaultdict(list)
    for trial in ended:
        of[trial.algorithm].append(trial)
    lines = [
        (
            catalog.algorithm(key),
            len(trials),
            words.score(best(t.score for t in trials if t.score is not None)),
            words.duration(sum(t.seconds for t in trials)),
            max(t.device for t in trials),
        )
        for key, trials in of.items()
    ]
    head = ("Algorithm", "Trials", f"Best {catalog.metric(facts.model.metric)}", "Time", "Device")
    return markup.subtitle("By algorithm") + markup.table(head, lines, (1, 2, 3)) if lines else ""


def _leaderboard(board: Iterable[LeaderboardRow]) -> str:
    placed = [row for row in board if row.rank is not None][:MOST_ROWS]
    lines = [
        (
            row.rank,
            f"{row.name}{' (champion)' if row.champion else ''}",
            words.score(row.score),
            words.score(row.score_std),
            words.duration(row.fit_seconds) if row.fit_seconds else words.MISSING,
            f"{row.latency_ms:.2f}" if row.latency_ms is not None else words.MISSING,
            words.size(row.size_bytes) if row.size_bytes else words.MISSING,
        )
        for row in placed
    ]
    head = ("Rank", "Model", "Score", "± folds", "Fit", "ms a row", "Size")
    title = markup.subtitle(f"Leaderboard, the best {len(lines)}")
    return title + markup.table(head, lines, (0, 2, 3, 4, 5, 6)) if lines else ""


def _causes(trials: Iterable[TrialRecord]) -> str:
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for trial in trials:
        if trial.state is TrialState.FAILED:
            counted[catalog.algorithm(trial.algorithm), words.short(trial.cause, 200)] += 1
    most = sorted(counted.items(), key=lambda item: -item[1])[:MOST_CAUSES]
    lines = [(algorithm, cause, number) for (algorithm, cause), number in most]
    return (
        markup.subtitle("What failed") + markup.table(("Algorithm", "Cause", "Trials"), lines, (2,))
        if lines
        else ""
    )


# --- the receipt ------------------------------------------------------------------------------------------


def receipt(facts: Facts) -> str:
    told = facts.job.receipt
    if told is None:
        return markup.paragraph("The job ended before it could write a receipt.")
    phases = [
        (phase.name, words.duration(phase.seconds), _share(phase.seconds, told.used_s))
        for phase in told.phases
    ]
    known = [
        ("Budget", words.duration(told.budget_s)),
        ("Used", words.duration(told.used_s)),
        ("Worker", facts.job.worker),
        ("Trained at", words.moment(facts.job.ended_at)),
    ]
    cut = markup.subtitle("Left out for want of time") + markup.bullets(map(words.sentence, told.cut))
    notes = markup.subtitle("Notes") + markup.bullets(map(words.sentence, told.notes))
    return (
        markup.pairs(known)
        + markup.table(("Phase", "Time", "Share"), phases, (1, 2))
        + (cut if told.cut else "")
        + (notes if told.notes else "")
    )


def _share(part: float, whole: float) -> str:
    return words.percent(part / whole) if whole else words.MISSING


# --- once more --------------------------------------------------------------------------------------------


def reproduction(facts: Facts) -> str:
    file = facts.dataset.source if facts.dataset else ""
    told = (
        "The same table, seed and versions ask the same questions; how many of them fit into the budget "
        "depends on the machine. flowml verify evaluates every row of such a folder again."
    )
    known = [
        ("SHA-256 of the table", facts.job.dataset_sha256),
        ("SHA-256 of the model", facts.model.onnx.sha256),
        ("FlowML", VERSION),
        ("Libraries", facts.training.get("versions", "")),
        ("Job", facts.job.id),
        ("Model", facts.model.id),
    ]
    lines = f"{command(facts.job.spec, file or 'table.csv')}\nflowml verify again"
    return markup.code(lines) + markup.paragraph(told, "note") + markup.pairs(known)


def command(spec: JobSpec, file: str) -> str:
    """The line that asks for the same training of a file."""
    parts = ["flowml", "train", file, "--target", spec.target, "--budget", f"{spec.budget_s:g}s"]
    given: list[tuple[str, object]] = [
        ("--task", None if spec.task == "auto" else spec.task),
        ("--metric", None if spec.metric == "auto" else spec.metric),
        ("--split", None if spec.split == "auto" else spec.split),
        ("--folds", spec.folds),
        ("--algorithms", ",".join(spec.algorithms) or None),
        ("--trials", spec.max_trials),
        ("--max-latency-ms", None if spec.max_latency_ms is None else f"{spec.max_latency_ms:g}"),
        ("--max-size", _size(spec)),
        ("--jobs", spec.jobs),
    ]
    parts += [str(part) for name, value in given if value is not None for part in (name, value)]
    parts += [part for name, role in spec.roles.items() for part in ("--role", f"{name}={role}")]
    return shlex.join([*parts, "--seed", str(spec.seed), "--out", "again"])


def _size(spec: JobSpec) -> str | None:
    usual = JobSpec(spec.target).max_size_bytes
    if spec.max_size_bytes == usual:
        return None
    return "0" if spec.max_size_bytes is None else str(spec.max_size_bytes)
