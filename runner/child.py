"""The trial child: a process that prepares a table once and then evaluates trial after trial.

A lane has it forked from a process that has loaded the libraries (`forkserver`), or starts it as a program:
`python -m flowml.runner.child`. Commands arrive as JSON lines on stdin, answers leave as JSON lines on what
was stdout; whatever libraries print goes to stderr, and from there into the job's log. The child may die of a
trial at any moment: it holds nothing that the lane could not have another child do again. It never outlives
its lane.
"""

from __future__ import annotations

import ctypes
import dataclasses
import faulthandler
import importlib
import json
import os
import queue
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from flowml.runner.listener import Summary
from flowml.storage.errors import FlowMLError, TrialOutOfMemory
from flowml.storage.records import DatasetSchema, Finding, JobSpec, Json, Recipe, TrialRecord

if TYPE_CHECKING:
    from flowml.automl.prepared import Prepared

CHAMPION = "champion"  # folder of the final model
INSURED, UNFINISHED = "insured", "unfinished"  # of models to fall back on: the best single one, the final one
WORTH_S = 0.3  # that must be left for the full finish to be tried
PR_SET_PDEATHSIG = 1

# Loaded while there is nothing else to do, in the order in which trials want them.
WANTED_SOON = (
    "scipy.optimize",
    "scipy.stats",
    "sklearn.base",
    "lightgbm",
    "xgboost",
    "catboost",
    "sklearn.ensemble",
)


class Bench:
    """What the child keeps warm between commands, and the way its answers go."""

    def __init__(self, answers: TextIO) -> None:
        self._answers = answers
        self._prepared: Prepared | None = None

    @property
    def prepared(self) -> Prepared:
        if self._prepared is None:
            raise FlowMLError("The trial child was given work before a table.", "This is a fault of FlowML.")
        return self._prepared

    def hold(self, prepared: Prepared) -> None:
        self._prepared = prepared

    def forget(self) -> None:
        self._prepared = None

    def say(self, answer: str, **fields: object) -> None:
        self._answers.write(json.dumps({"answer": answer, **fields}) + "\n")
        self._answers.flush()


def prepare(bench: Bench, command: Json) -> None:
    from flowml.automl.prepared import prepare as prepare_table

    schema, spec = DatasetSchema.from_dict(command["schema"]), JobSpec.from_dict(command["spec"])
    with _threads(command["threads"]):
        prepared = prepare_table(Path(command["table"]), schema, spec)
    prepared.about["reference"] = _reference(schema, prepared.contract.names)
    bench.hold(prepared)
    problem = prepared.problem
    summary = Summary(
        task=problem.task,
        reason=problem.reason,
        metric=problem.metric,
        direction=problem.direction,
        folds=prepared.folds.reason,
        rows=problem.rows,
        columns=len(problem.features),
        findings=problem.findings,
    )
    bench.say("prepared", shape=prepared.shape.to_dict(), summary=summary.to_dict())


def _reference(schema: DatasetSchema, names: Collection[str]) -> Json:
    """How the values of the features were spread, for later tables to be compared with."""
    from flowml.storage.drift import reference_of

    features = tuple(column for column in schema.columns if column.name in names)
    return reference_of(dataclasses.replace(schema, columns=features)).to_dict()


def evaluate(bench: Bench, command: Json) -> None:
    from flowml.automl.candidate import Candidate
    from flowml.automl.evaluate import Limits
    from flowml.automl.evaluate import evaluate as evaluate_candidate
    from flowml.automl.outcome import trial_folder

    candidate = Candidate.from_dict(command["candidate"])
    with _threads(command["threads"]):
        limits = Limits(command["deadline_s"], command["threads"], command.get("device", "cpu"))
        outcome = evaluate_candidate(bench.prepared, candidate, limits)
    outcome.save(trial_folder(Path(command["work"]), candidate.number))
    bench.say("evaluated", record=outcome.record.to_dict())


def finish(bench: Bench, command: Json) -> None:
    """First the best single model, which is soon written; then, if there is time for it, the full finish.

    Should that be late or die, the lane takes the best that was written before.
    """
    work, deadline = Path(command["work"]), time.monotonic() + command["deadline_s"]
    records = tuple(TrialRecord.from_dict(record) for record in command["records"])
    found = tuple(Finding.from_dict(finding) for finding in command.get("findings", ()))
    with _threads(command["threads"]):
        limit_s, pace, cores = max(WORTH_S, command["deadline_s"]), command["pace"], command["threads"]
        first = build_model(bench, work, records, limit_s, found, simple=True, pace=pace, cores=cores)
        _insure(bench, work, INSURED, first)
        left = deadline - time.monotonic()
        if left > WORTH_S:
            pace = _pace(bench, records, first, cores, pace)
            built = partial(_insure, bench, work, UNFINISHED)
            final = build_model(
                bench, work, records, left, found, simple=False, pace=pace, cores=cores, built=built
            )
            bench.say("finished", champion=final)
        else:
            work.joinpath(INSURED).rename(cleared(work / CHAMPION))
            bench.say("finished", champion=first)


def _insure(bench: Bench, work: Path, name: str, champion: Json) -> None:
    """From now on there is a better model to fall back on, in a folder of its own."""
    work.joinpath(CHAMPION).rename(cleared(work / name))
    bench.say("insured", champion=champion, folder=name)


def _pace(bench: Bench, records: tuple[TrialRecord, ...], first: Json, cores: int, known: float) -> float:
    """How slow exports are here, as seen from that of the first model."""
    from flowml.automl.budget import shared
    from flowml.automl.offers import pace_of

    took = next((part["seconds"] for part in first["phases"] if part["name"] == "export"), 0.0)
    members = [record for record in records if record.number == first["trial"]]
    return pace_of(members, took / shared(cores), first["folds"] / len(bench.prepared.folds.pairs), known)


def build_model(
    bench: Bench,
    work: Path,
    records: tuple[TrialRecord, ...],
    limit_s: float,
    findings: tuple[Finding, ...],
    simple: bool,
    pace: float = 1.0,
    cores: int = 1,
    built: Callable[[Json], None] = lambda _champion: None,
) -> Json:
    """`built` is told of the model once it is exported, before it is explained."""
    from flowml.automl.card import to_markdown
    from flowml.automl.champion import Champion
    from flowml.automl.finish import finish as finish_study

    def written(champion: Champion) -> Json:
        (work / CHAMPION / "card.md").write_text(to_markdown(champion.card), encoding="utf-8")
        return champion.to_dict()

    champion = finish_study(
        bench.prepared,
        work,
        records,
        limit_s,
        simple=simple,
        pace=pace,
        findings=findings,
        cores=cores,
        built=lambda champion: built(written(champion)),
    )
    return written(champion)


def cleared(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def blend(bench: Bench, command: Json) -> None:
    from flowml.automl.verify import blend_again

    recipe = Recipe.from_dict(command["recipe"])
    records = tuple(TrialRecord.from_dict(record) for record in command["records"])
    with _threads(command["threads"]):
        found = blend_again(bench.prepared, Path(command["work"]), recipe, records)
    bench.say("blended", score=found.score, fold_scores=list(found.fold_scores))


def again(bench: Bench, _command: Json) -> None:
    """Forget the table and be ready for another study."""
    bench.forget()
    bench.say("ready")


def leave(_bench: Bench, _command: Json) -> None:
    sys.stderr.flush()
    os._exit(0)  # tearing down the libraries would take longer than all that is left to do


COMMANDS: dict[str, Callable[[Bench, Json], None]] = {
    "prepare": prepare,
    "evaluate": evaluate,
    "finish": finish,
    "blend": blend,
    "again": again,
    "quit": leave,
}


def obey(bench: Bench, command: Json) -> None:
    """Carry out one command; whatever goes wrong becomes an answer, and the child stays."""
    try:
        COMMANDS[command["command"]](bench, command)
    except FlowMLError as error:
        bench.say("error", code=error.code, message=error.message, advice=error.advice)
    except MemoryError:
        traceback.print_exc()
        bench.say(
            "error",
            code=TrialOutOfMemory.code,
            message="It asked for more memory than the machine has left.",
            advice="Leave this algorithm out, use fewer rows, or a machine with more memory.",
        )
    except BaseException as error:  # the child's edge, also for a library that wants to end the process
        traceback.print_exc()
        bench.say(
            "error",
            code=FlowMLError.code,
            message=f"{type(error).__name__}: {error}",
            advice="The log of the job has the whole story.",
        )


def _threads(count: int) -> AbstractContextManager[object]:
    """Hold every thread pool that is loaded by now to `count`; libraries are also told explicitly."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=count)
    return limits


def take_pipes() -> tuple[BinaryIO, TextIO]:
    """Our two pipes under numbers of their own; afterwards stdin is empty and stdout is stderr."""
    commands, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return os.fdopen(commands, "rb"), os.fdopen(answers, "w", encoding="utf-8")


def die_with(lane: int) -> None:
    """Linux kills us with the thread that started us; elsewhere, and beyond it, the closed pipe does."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # Where memory runs out, the kernel should take a trial, never the lane or the studio.
        Path("/proc/self/oom_score_adj").write_text("800")
    if os.getppid() != lane:
        os._exit(1)


def listen(pipe: BinaryIO, inbox: queue.SimpleQueue[Json]) -> None:
    """Read commands in a thread of its own: the end of the pipe must be seen in the midst of a long fit."""
    for line in pipe:
        inbox.put(json.loads(line))
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def warm_up(inbox: queue.SimpleQueue[Json]) -> None:
    """Load libraries until there is a command."""
    for name in WANTED_SOON:
        if not inbox.empty():
            return
        importlib.import_module(name)


def work_for(lane: int) -> None:
    """Obeys the process `lane`, our parent, until it is gone. Never returns."""
    commands, answers = take_pipes()
    die_with(lane)
    faulthandler.enable()
    inbox: queue.SimpleQueue[Json] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(commands, inbox), daemon=True, name="commands").start()
    import flowml.automl.evaluate
    import flowml.automl.prepared  # noqa: F401  imported while the lane still reads the table

    bench = Bench(answers)
    bench.say("ready")
    warm_up(inbox)
    while True:
        obey(bench, inbox.get())


def main() -> None:
    work_for(int(sys.argv[1]))


if __name__ == "__main__":
    main()
