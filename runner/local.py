"""Training and predicting on this machine alone: no Redis, no studio, no database."""

from __future__ import annotations

import difflib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from flowml.runner import papers
from flowml.runner.crew import Crew
from flowml.runner.forks import forked_children
from flowml.runner.limits import allowance
from flowml.runner.listener import LaneOutcome, Listener
from flowml.runner.papers import MODEL
from flowml.runner.plan import divide
from flowml.runner.slot import CHILD
from flowml.runner.tiers import MEMORY_SHARE
from flowml.storage.errors import FlowMLError, NotFound, SpecError, StorageError, UnknownColumn, error_of
from flowml.storage.records import Control, DriftSummary, FileScored, JobSpec, JobState, Level, Receipt

if TYPE_CHECKING:
    from flowml.automl.serve import Predictor
    from flowml.runner.lane import Lane
    from flowml.runner.scoring import Told
    from flowml.storage.intake import Intake

LIMIT_BYTES = 20 * 10**9  # of a file; the machine's memory is the narrower limit
READ_S = 60.0  # for a small file, plus what a slow machine needs for its size:
READ_BYTES_PER_S = 2e6
BYTES_PER_CELL = 8  # a guess, until the table is read
FORKS_FROM_S = 10.0  # of a budget: a shorter one is better spent in a child that loads what it needs first

Wish = Callable[[], Control | None]


def train(
    file: Path,
    spec: JobSpec,
    out: Path,
    listener: Listener,
    control: Wish = lambda: None,
    started: float | None = None,
    child: tuple[str, ...] = CHILD,
    table: str = "",
) -> LaneOutcome:
    """Read the file, run a lane on it, and write the model and its papers into the folder `out`.

    `started` is when the budget began to run, now unless given. Raises what kept it from a model. A cancelled
    run writes nothing.
    """
    started = time.time() if started is None else started
    _make_folder(out)
    with _early_crew(file, spec, child) as crew, tempfile.TemporaryDirectory(prefix="flowml-") as folder:
        work = Path(folder)
        listener.stage("Reading the table")
        hashing = papers.Hashing(file)
        with ThreadPoolExecutor(1, "loading") as beside:
            loading = beside.submit(_lane)
            intake = _read(file, work / "table.parquet", control, table)
        if intake is None:
            return LaneOutcome(JobState.CANCELLED, Receipt(spec.budget_s, time.time() - started))
        check_target(spec.target, intake.schema.names)
        for finding in intake.findings:
            listener.log(Level.WARNING, f"{finding.message} {finding.advice}".strip())
        parquet, study = work / "table.parquet", work / "study"
        lane_of = loading.result()
        lane = lane_of(parquet, intake.schema, spec, study, listener, control, started=started, crew=crew)
        outcome = lane.run()
        if outcome.champion is not None:
            papers.write(outcome, study / "champion", out)
            papers.write_study(outcome, spec, intake.schema, hashing.source(), out)
    if outcome.state is JobState.FAILED:
        raise error_of(outcome.code, outcome.cause, outcome.advice)
    return outcome


def _lane() -> type[Lane]:
    """To load what a lane plans with takes a moment, and so does reading the table."""
    import optuna  # noqa: F401

    from flowml.runner.lane import Lane

    return Lane


def _make_folder(out: Path) -> None:
    """Before the work rather than after it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        raise StorageError(
            f"The folder {out} cannot be written: {error.strerror}.", "Choose another folder with --out."
        ) from error


@contextmanager
def _early_crew(file: Path, spec: JobSpec, child: tuple[str, ...]) -> Iterator[Crew]:
    """What loads the libraries while the file is still read: a process to fork children from, else one child.

    The lane adds the others.
    """
    machine = allowance()
    memory = int(machine.ram_available * MEMORY_SHARE)
    size = file.stat().st_size if file.is_file() else 0
    plan = divide(size // BYTES_PER_CELL, 1, min(spec.jobs or machine.cpus, machine.cpus), memory)
    worth_it = child == CHILD and spec.budget_s >= FORKS_FROM_S
    with forked_children() if worth_it else nullcontext(False) as forked:
        crew = Crew(plan.threads, memory, child)
        try:
            if size and not forked:
                crew.add()
            yield crew
        finally:
            crew.close()


def _read(file: Path, target: Path, control: Wish, table: str) -> Intake | None:
    """None when the user interrupted: a Ctrl-C reaches the reading process too."""
    from flowml.storage.intake import convert  # the child is starting meanwhile

    size = file.stat().st_size if file.is_file() else 0
    try:
        seconds = READ_S + size / READ_BYTES_PER_S
        intake = convert(file, file.name, target, LIMIT_BYTES, seconds, table)
    except FlowMLError:
        if control() is None:
            raise
        return None
    return None if control() is not None else intake


def check_target(target: str, names: Sequence[str]) -> None:
    """The child would find it too, seconds later."""
    if target not in names:
        near = difflib.get_close_matches(target, names, n=1)
        shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        advice = f"Did you mean {near[0]!r}?" if near else f"Its columns: {shown}."
        raise UnknownColumn(f"The table has no column {target!r}.", advice)


# --- predicting -------------------------------------------------------------------------------------------


def predict(model: Path, file: Path, out: Path, told: Told | None = None, table: str = "") -> FileScored:
    """Write the predictions for a table: `prediction`, `probability_<class>` of each class, `warnings`.

    The table may be larger than memory. `told` hears how many rows are done, and of how many where that is
    known; `table` is one of several that the file holds, else the first is read.
    """
    from flowml.runner.scoring import check_suffix, score_and_compare

    check_suffix(out)
    return score_and_compare(_predictor(model, file), file, file.name, out, told, table)


def compare(model: Path, file: Path, told: Told | None = None, table: str = "") -> DriftSummary:
    """How the rows of a table differ from those that the model was trained on; nothing is predicted."""
    from flowml.runner.scoring import compare_file

    return compare_file(_predictor(model, file), file, file.name, told, table)


def _predictor(model: Path, file: Path) -> Predictor:
    from flowml.automl.serve import Predictor

    if not file.is_file():
        raise NotFound(f"There is no file {file}.", "Check the path.")
    return Predictor(model / MODEL if model.is_dir() else model, allowance().cpus)


def package(model: Path, out: Path, compact: bool = False, ml: int = 5) -> int:
    """Write the package of a model, or of the compact variant beside it; returns its size in bytes."""
    from flowml.automl.onnx.older import OLD, to_ml3
    from flowml.automl.package import pack

    if out.suffix.lower() != ".zip":
        raise SpecError(f"{out.name} ends in {out.suffix or 'nothing'}.", "A package is a .zip.")
    if ml not in (5, OLD):
        raise SpecError(f"There is no model for ai.onnx.ml {ml}.", f"Give 5 or {OLD}.")
    file = model / MODEL if model.is_dir() else model
    if compact and not file.name.endswith(".compact.onnx"):
        file = file.with_suffix(".compact.onnx")
    if not file.is_file():
        raise NotFound(f"There is no model file {file}.", "Check the path.")
    content = file.read_bytes()
    packed = pack(to_ml3(content) if ml == OLD else content)
    try:
        out.write_bytes(packed)
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror}.", "Choose another --out.") from error
    return len(packed)
