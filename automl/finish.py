"""The end of a study: choose, assemble and export the champion, prove it, explain it, write it down.

The champion is a greedy ensemble, or the best single trial where an ensemble does not hold on other rows.
It is made of the models of the folds; where few of them would serve, its members learn all rows once more.
What cannot be exported, fails the parity gate, or answers too slowly gives way to the next best, with the
reason in its row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from flowml.automl.blend import Blend, ensemble, notes_of, ranked, single
from flowml.automl.budget import export_seconds, shared
from flowml.automl.card import card
from flowml.automl.champion import Champion, write
from flowml.automl.compact import (
    export_within_limit,
    folds_served,
    leaves_few,
    share_served,
    variant,
    within_limit,
    write_compact,
)
from flowml.automl.export import Exported, export, speed_of_trial
from flowml.automl.insight import Insight, counted, insight_of
from flowml.automl.leaderboard import ENSEMBLE, Speed, leaderboard, name_of
from flowml.automl.offers import expected_s, folds_in_time, offers
from flowml.automl.outcome import Outcome, trial_folder
from flowml.automl.prepared import Prepared
from flowml.automl.refit import refit
from flowml.automl.sizes import few
from flowml.storage.errors import ExportError
from flowml.storage.records import Finding, Json, Phase, TrialRecord

ENSEMBLE_SHARE = 0.25  # of the time, to choose weights
WORSE = 0.03  # of what the best trial learned, that an ensemble may seem to lose on other rows
EXPLAIN_SHARE = 0.6  # of the time left after the export
MOST_EXPLAIN = 0.08  # of the budget, whatever is left
EXPORT_SHARE = 0.65  # of the time left, that an export may be expected to take
INSURED_SHARE = 0.2  # and that of a model to fall back on
MEASURED = 5  # rows of the leaderboard that are exported to measure their speed, time allowing
WARY = 2.0  # times what it should take, that must be left for what nobody waits for
SAFETY_S = 0.4  # kept for writing the files
PATIENT_S = 1e9
CHAMPION = "champion"  # folder of the final model
Built = Callable[[Champion], None]


def finish(
    prepared: Prepared,
    work: Path,
    records: Sequence[TrialRecord],
    deadline_s: float = PATIENT_S,
    simple: bool = False,
    pace: float = 1.0,
    findings: Sequence[Finding] = (),
    cores: int = 1,
    built: Built = lambda _champion: None,
) -> Champion:
    """Build the champion in time and write it to work/champion; `simple`: of one trial, unexplained.

    `pace`: how much longer exports take here than on an ordinary core, see `offers.pace_of`. `findings` are
    those of the check of the table, for the card. `built` is told of the champion once its file is written,
    before it is explained, and may take that folder away.
    """
    clock = _Clock(time.monotonic() + deadline_s)
    best_first = ranked(prepared, records)
    mixed = None if simple else _ensemble(prepared, work, best_first, clock)
    clock.phase("ensemble")

    exporting = pace * shared(cores)
    room = _Room(prepared, clock, exporting, INSURED_SHARE if simple else EXPORT_SHARE)
    offered = offers(prepared, work, within_limit(prepared, work, mixed), best_first, room.affords)
    if not simple:
        offered = _refitted(prepared, work, offered, clock, exporting, cores)
    chosen = _first_that_serves(prepared, work, offered, room, cores)
    clock.phase("export")
    end = _End(prepared, work, records, chosen, clock, findings)
    plain = end.write(counted(prepared, chosen.blend, best_first), {})
    if simple:
        return plain
    built(plain)
    smaller = variant(prepared, work, chosen.blend, chosen.exported, clock.left, pace)
    clock.phase("compact")
    insight = end.insight()
    clock.phase("explain")
    speeds = end.speeds(pace)
    clock.phase("measure")
    champion = end.write(insight, speeds)
    return champion if smaller is None else write_compact(champion, smaller, work / CHAMPION)


class _Clock:
    """The time that is left, and how it was spent."""

    def __init__(self, end: float) -> None:
        self.end = end
        self.phases: list[Phase] = []
        self._mark = time.monotonic()

    @property
    def left(self) -> float:
        return self.end - time.monotonic()

    def share(self, of_left: float) -> float:
        """The moment at which a share of the time left will be spent."""
        return time.monotonic() + max(0.0, self.left) * of_left

    def phase(self, name: str) -> None:
        now = time.monotonic()
        self.phases.append(Phase(name, round(now - self._mark, 3)))
        self._mark = now


@dataclass(frozen=True)
class _Room:
    """How many fold models of each member time and the limit of size have room for.

    A trial's score is that of single fold models: one keeps what it promises, more do a little better.
    """

    prepared: Prepared
    clock: _Clock
    pace: float
    share: float  # of the time left, for an export

    def folds(self, members: Sequence[TrialRecord]) -> int:
        """0: not even one."""
        folds, most = len(self.prepared.folds.pairs), folds_served(self.prepared, members)
        return folds_in_time(members, self.clock.left * self.share, self.pace, folds, most)

    def affords(self, members: Sequence[TrialRecord], least: int) -> bool:
        served = folds_served(self.prepared, members)
        return self.folds(members) >= (
            1 if few(served, len(self.prepared.folds.kept)) else min(least, served)
        )


# --- choose -----------------------------------------------------------------------------------------------


def _ensemble(
    prepared: Prepared, work: Path, best_first: Sequence[TrialRecord], clock: _Clock
) -> Blend | None:
    """An ensemble, unless it is clearly worse than the best single trial on rows its weights did not see.

    A little worse is no reason: the search chose the single trial on all rows, which flatters it.
    """
    blend = ensemble(prepared, work, best_first, clock.share(ENSEMBLE_SHARE))
    if blend is None or blend.is_single or blend.crosswise is None or blend.single_crosswise is None:
        return None
    loss = prepared.problem.measure.loss
    worst = max(loss(record.score) for record in best_first if record.score is not None)
    learned = max(worst - loss(blend.single_crosswise), 0.0)
    clearly_worse = loss(blend.crosswise) > loss(blend.single_crosswise) + WORSE * learned
    return None if clearly_worse else blend


def _refitted(
    prepared: Prepared, work: Path, offered: Iterator[Blend], clock: _Clock, pace: float, cores: int
) -> Iterator[Blend]:
    """The same offers; where few fold models would serve, the members of the first learn all rows before.

    Should that take longer than it may, a lighter one follows.
    """
    for count, blend in enumerate(offered):
        if not count and leaves_few(prepared, blend):
            export_s = expected_s(blend.members, pace, share_served(prepared, blend.members))
            refit(prepared, work, blend, cores, clock.end - SAFETY_S - export_s / EXPORT_SHARE)
            clock.phase("refit")
            if export_s > clock.left and not blend.is_single:
                continue
        yield blend


@dataclass(frozen=True)
class _Chosen:
    blend: Blend
    exported: Exported
    hurried: bool  # with fewer fold models than there is room for, for want of time
    refused: dict[tuple[int, ...], str]  # trial numbers of offers that did not serve -> why

    @property
    def refitted(self) -> tuple[str, ...]:
        return tuple(name_of(each) for each in self.blend.members if each.number in self.exported.whole)


def _first_that_serves(
    prepared: Prepared, work: Path, offers: Iterator[Blend], room: _Room, cores: int
) -> _Chosen:
    """The first offer that exports, passes the gate and is fast enough, else the fastest that exports."""
    limit, refused = prepared.spec.max_latency_ms, dict[tuple[int, ...], str]()
    fastest: _Chosen | None = None
    for blend in offers:
        if fastest and room.clock.left < 0:
            break
        numbers = tuple(member.number for member in blend.members)
        folds = max(1, room.folds(blend.members))
        try:
            exported = export_within_limit(prepared, work, blend, folds, cores)
        except Exception as error:  # libraries raise what they like, and the next offer is there
            refused[numbers] = getattr(error, "message", f"{type(error).__name__}: {error}")
            continue
        chosen = _Chosen(blend, exported, folds < folds_served(prepared, blend.members), refused)
        latency = exported.speed.latency_ms
        if limit is None or latency <= limit:
            return chosen
        refused[numbers] = f"It answers in {latency:.1f} ms, the limit is {limit:g} ms."
        if fastest is None or latency < fastest.exported.speed.latency_ms:
            fastest = chosen
    if fastest is None:
        why = next(iter(refused.values()), "there was none")
        raise ExportError(f"None of the best models can be exported: {why}", "See the log of the job.")
    return fastest


# --- describe ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _End:
    """What is known of a study once its champion is exported."""

    prepared: Prepared
    work: Path
    records: Sequence[TrialRecord]
    chosen: _Chosen
    clock: _Clock
    findings: Sequence[Finding]

    def write(self, insight: Insight, speeds: dict[int | None, Speed]) -> Champion:
        champion, folder = self._described(insight, speeds), self.work / CHAMPION
        folder.mkdir(parents=True, exist_ok=True)
        write(champion, folder, self.chosen.exported.content)
        return champion

    def insight(self) -> Insight:
        most_s = max(2.0, MOST_EXPLAIN * self.prepared.spec.budget_s)
        end = min(self.clock.share(EXPLAIN_SHARE), time.monotonic() + most_s)
        best_first = ranked(self.prepared, self.records)
        return insight_of(self.prepared, self.work, self.chosen.blend, best_first, end)

    def speeds(self, pace: float) -> dict[int | None, Speed]:
        """Of the best single trials, as far as time allows."""
        found = dict[int | None, Speed]()
        for record in ranked(self.prepared, self.records)[:MEASURED]:
            expected = SAFETY_S + WARY * pace * export_seconds(record)
            known = record.number == self._own or (record.number,) in self.chosen.refused
            if not known and self.clock.left > expected:
                found[record.number] = speed_of_trial(self.prepared, self.work, record)
        return found

    @property
    def _own(self) -> int | None:
        """The number of the champion's trial; None: an ensemble."""
        blend = self.chosen.blend
        return blend.members[0].number if blend.is_single else None

    def _described(self, insight: Insight, speeds: dict[int | None, Speed]) -> Champion:
        prepared, records, chosen = self.prepared, self.records, self.chosen
        problem, blend, exported = prepared.problem, chosen.blend, chosen.exported
        speeds = {self._own: exported.speed, **speeds}
        lead = blend.members[0]
        champion = Champion(
            name=name_of(lead) if blend.is_single else f"Ensemble of {len(blend.members)}",
            algorithm=lead.algorithm if blend.is_single else ENSEMBLE,
            task=problem.task,
            metric=problem.metric,
            direction=problem.direction,
            score=blend.score,
            score_std=float(np.std(blend.fold_scores)),
            trial=self._own,
            latency_ms=exported.speed.latency_ms,
            rows_per_second=exported.speed.rows_per_second,
            size_bytes=exported.speed.size_bytes,
            threshold=blend.threshold,
            members=tuple(name_of(member) for member in blend.members),
            weights=tuple(round(weight, 4) for weight in blend.weights),
            contract=prepared.contract.to_dict(),
            parity=exported.parity,
            folds=exported.folds,
            card={},
            recipe=blend.recipe,
            importances=insight.importances,
            diagnostics=insight.diagnostics,
            leaderboard=leaderboard(records, blend, chosen.refused, speeds, problem.metric),
            cut=insight.cut,
            notes=_notes(prepared, blend, chosen, ranked(prepared, records)),
            phases=tuple(self.clock.phases),
        )
        found = (*problem.findings, *self.findings)
        return replace(champion, card=card(champion, _training(prepared, records), found))


def _training(prepared: Prepared, records: Sequence[TrialRecord]) -> Json:
    """Plain facts for the card."""
    problem = prepared.problem
    versions = {name: version for record in records for name, version in record.versions.items()}
    return {
        "rows": problem.rows,
        "task": problem.reason,
        "split": prepared.folds.reason,
        "folds": len(prepared.folds.pairs),
        "seed": problem.seed,
        "budget in seconds": prepared.spec.budget_s,
        "trials": len(records),
        "trained at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "versions": ", ".join(f"{name} {version}" for name, version in sorted(versions.items())),
    }


def _notes(
    prepared: Prepared, blend: Blend, chosen: _Chosen, best_first: Sequence[TrialRecord]
) -> tuple[str, ...]:
    notes = [f"Passed over: {why}" for why in chosen.refused.values()]
    better = best_first[: best_first.index(blend.members[0])] if blend.is_single else ()
    late = [name_of(each) for each in better if (each.number,) not in chosen.refused]
    if late:
        notes.append(f"Better, but too large to export in the time that was left: {', '.join(late)}.")
    notes += notes_of(prepared, blend)
    if blend.members[0].algorithm == "dummy":
        notes.append("Only the baseline could be trained in the time: give a larger budget for a real model.")
    fewer = any(member.number not in chosen.exported.whole for member in blend.members)
    if fewer and chosen.exported.folds < len(prepared.folds.kept):
        kept = f"{chosen.exported.folds} of {len(prepared.folds.kept)} fold models"
        why = "To be exported in time" if chosen.hurried else "To keep its file small"
        notes.append(f"{why}, it holds {kept} of each member.")
    if chosen.refitted:
        notes.append(f"These learned all rows in the end: {', '.join(chosen.refitted)}.")
    return tuple(notes)


def export_trial(prepared: Prepared, work: Path, number: int) -> bytes:
    """One trial as a proven ONNX model of its own, made on demand."""
    record = Outcome.load(trial_folder(work, number)).record
    return export(prepared, work, single(prepared, work, record)).content
