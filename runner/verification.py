"""A verification: the rows of a study, evaluated again side by side by children like those of its lane."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from flowml.automl.evaluate import again
from flowml.automl.outcome import trial_folder
from flowml.automl.verify import CHAMPION, compare, compare_champion, excuse
from flowml.runner.crew import Crew
from flowml.runner.limits import allowance
from flowml.runner.plan import Plan, divide
from flowml.runner.probe import cpu_model
from flowml.runner.slot import CHILD
from flowml.runner.team import Blended, Evaluated, Failed, Heard, Task, Team, Unfinished
from flowml.storage.records import Agreement, Recipe, StudyRecord, TrialRecord, Verdict
from flowml.storage.version import VERSION

POLL_S = 0.2
MEMORY_SHARE = 0.85  # of the memory that is free at the start
PATIENCE, LEAST_S = 20.0, 120.0  # a row may take so many times as long as it did, and so long in any case
BLEND_S = 600.0


class Verification:
    """`work` is an empty folder of its own; `told` hears each verdict as soon as it is known."""

    def __init__(
        self,
        table: Path,
        study: StudyRecord,
        work: Path,
        told: Callable[[Verdict], None] = lambda _verdict: None,
        child: tuple[str, ...] = CHILD,
        ended: Callable[[], bool] = lambda: False,
    ) -> None:
        self._task = Task(table, study.schema, study.spec)
        self._study, self._work, self._told, self._child = study, work, told, child
        self._over = ended  # nobody wants to know any more
        self._elsewhere = _elsewhere(study)
        self._verdicts: list[Verdict] = []
        self._rows: dict[int, TrialRecord] = {}

    def run(self, rows: Sequence[TrialRecord]) -> tuple[Verdict, ...]:
        """What became of each row and, if all rows are asked for, of the champion."""
        self._rows = {row.number: row for row in rows}
        for row in rows:
            if not row.fold_scores:
                self._tell(compare(row, row))
        groups = _by_threads(rows)
        recipe = self._study.champion if len(rows) == len(self._study.trials) else None
        for threads, group in groups.items():
            with closing(self._team(threads, len(group))) as team:
                self._evaluate(team, deque(group))
                if recipe is not None and group is list(groups.values())[-1]:
                    self._blend(team, recipe)
        return tuple(self._verdicts)

    def _team(self, threads: int, rows: int) -> Team:
        """As many children as the machine has room for, each with the threads that the rows had."""
        machine, schema = allowance(), self._task.schema
        memory = int(machine.ram_available * MEMORY_SHARE)
        usual = divide(schema.rows, len(schema.columns), machine.cpus, memory)
        plan = Plan(max(1, min(usual.slots, machine.cpus // threads, rows)), threads)
        return Team(Crew(threads, memory, self._child), plan, self._task, self._work)

    def _evaluate(self, team: Team, waiting: deque[TrialRecord]) -> None:
        team.start()
        while (waiting or team.numbers) and not self._over():
            for slot in team.idle[: min(team.free, len(waiting))]:
                row = waiting.popleft()
                team.evaluate(slot, again(row), LEAST_S + PATIENCE * row.seconds)
            for heard in team.turn(POLL_S):
                self._hear(heard)

    def _hear(self, heard: Heard) -> None:
        match heard:
            case Evaluated(record):
                self._ended(record)
            case Failed(number, error):
                self._ended(replace(self._rows[number], fold_scores=(), cause=error.message))
            case _:
                return

    def _ended(self, found: TrialRecord) -> None:
        self._tell(compare(self._rows[found.number], found, self._elsewhere))
        recipe = self._study.champion
        if recipe is None or found.number not in recipe.trials:
            shutil.rmtree(trial_folder(self._work, found.number), ignore_errors=True)

    def _tell(self, verdict: Verdict) -> None:
        self._verdicts.append(verdict)
        self._told(verdict)

    # --- the champion -------------------------------------------------------------------------------------

    def _blend(self, team: Team, recipe: Recipe) -> None:
        members = [self._rows[number] for number in recipe.trials]
        why = next((reason for each in members if (reason := excuse(each, self._elsewhere))), "")
        said: list[Heard] = []

        def until(over: Callable[[], bool]) -> None:
            while not over():
                said.extend(team.turn(POLL_S))

        team.blend(team.free_slot(until), recipe, members, BLEND_S)
        until(lambda: any(isinstance(heard, Blended | Unfinished) for heard in said))
        match said[-1]:
            case Blended(score, fold_scores):
                self._tell(compare_champion(recipe, score, fold_scores, why))
            case Unfinished(error):
                self._tell(Verdict(None, CHAMPION, Agreement.DIFFERENT, why=error.message))


def _elsewhere(study: StudyRecord) -> str:
    """How this machine differs from the one that the study ran on, as far as that may change sums."""
    here = cpu_model()
    if study.made_with != VERSION:
        return f"FlowML was {study.made_with} and is {VERSION}."
    return "" if study.processor == here else f"Another processor: it was {study.processor}, this is {here}."


def _by_threads(rows: Sequence[TrialRecord]) -> dict[int, list[TrialRecord]]:
    groups: dict[int, list[TrialRecord]] = {}
    for row in rows:
        if row.fold_scores:
            groups.setdefault(row.threads, []).append(row)
    return groups
