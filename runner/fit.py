"""`flowml.fit`: a table in memory becomes a model, without files, studio or Redis."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowml.automl.serve import LEADERBOARD, Model
from flowml.runner.child import CHAMPION
from flowml.runner.crew import Crew
from flowml.runner.lane import Lane
from flowml.runner.limits import allowance
from flowml.runner.listener import Candidate, LaneOutcome, Listener, Summary
from flowml.runner.local import check_target
from flowml.runner.options import spec_of
from flowml.runner.papers import MODEL
from flowml.runner.plan import divide
from flowml.runner.tiers import MEMORY_SHARE
from flowml.storage.errors import DataError, error_of
from flowml.storage.records import DatasetSchema, Finding, JobSpec, JobState, Level, TrialRecord

if TYPE_CHECKING:
    import polars as pl


class Silent:
    """A listener that hears nothing."""

    def stage(self, text: str) -> None: ...
    def log(self, level: Level, text: str, trial: int | None = None) -> None: ...
    def prepared(self, summary: Summary) -> None: ...
    def noticed(self, findings: tuple[Finding, ...]) -> None: ...
    def resumed(self, records: Sequence[TrialRecord]) -> None: ...
    def trial_started(self, candidate: Candidate, worker: str = "") -> None: ...
    def trial_finished(self, record: TrialRecord, best_score: float | None) -> None: ...
    def progress(self, **fields: str | float | int) -> None: ...


def fit(
    frame: Any, target: str, budget: str | float = "60s", *, listener: Listener | None = None, **options: Any
) -> Model:
    """Train on a polars or pandas table. `options` are fields of JobSpec, such as task, metric or seed."""
    return train(as_polars(frame), spec_of(target, budget, options), listener or Silent())


def train(
    frame: pl.DataFrame,
    spec: JobSpec,
    listener: Listener,
    crew: Crew | None = None,
    checked: tuple[Finding, ...] | None = None,
) -> Model:
    """A lane on a table of the caller's own, which is read in this process; `checked` as for a Lane."""
    crew = crew or crew_for(frame, spec)
    with tempfile.TemporaryDirectory(prefix="flowml-") as folder:
        table, work = Path(folder) / "table.parquet", Path(folder) / "study"
        try:
            schema = keep(frame, table)
            check_target(spec.target, schema.names)
        except BaseException:
            crew.close()
            raise
        lane = Lane(table, schema, spec, work, listener, crew=crew, checked=checked, slots=slots_of(spec))
        return _model(lane.run(), work / CHAMPION / MODEL)


def crew_for(frame: pl.DataFrame, spec: JobSpec) -> Crew:
    """With one child that loads its libraries while the table is still looked at."""
    threads, memory = division(frame, spec)
    crew = Crew(threads, memory)
    crew.add()
    return crew


def division(frame: pl.DataFrame, spec: JobSpec) -> tuple[int, int]:
    """Threads of each child, and the memory of all."""
    machine = allowance()
    cores, memory = min(spec.jobs or machine.cpus, machine.cpus), int(machine.ram_available * MEMORY_SHARE)
    return divide(frame.height, frame.width, cores, memory, slots_of(spec)).threads, memory


def slots_of(spec: JobSpec) -> int | None:
    """One where a single trial is asked for; else as the cores allow."""
    return 1 if spec.max_trials == 1 else None


def as_polars(frame: Any) -> pl.DataFrame:
    """Raises DataError for what is no table."""
    import polars as pl

    names = [str(name) for name in getattr(frame, "columns", ())]
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise DataError(f"Two columns are called {twice!r}.", "Give each column a name of its own.")
    if isinstance(frame, pl.DataFrame):
        return frame
    try:
        return pl.from_pandas(frame)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"A {type(frame).__name__} cannot be read as a table: {error}.",
            "Give a polars or pandas DataFrame whose columns each hold one kind of value.",
        ) from error


def keep(frame: pl.DataFrame, table: Path) -> DatasetSchema:
    """Writes the table as a studio would keep it."""
    import polars as pl

    from flowml.storage import canonical, schema
    from flowml.storage.reading import typed_reading

    try:
        settled = canonical.settle(typed_reading(frame))
        settled.frame.write_parquet(table)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"The table cannot be kept: {error}.", "Let each column hold one kind of value."
        ) from error
    return schema.infer(settled.frame, settled.notes, settled.written)


def _model(outcome: LaneOutcome, file: Path) -> Model:
    if outcome.state is JobState.FAILED:
        raise error_of(outcome.code, outcome.cause, outcome.advice)
    from flowml.automl.onnx import metadata

    rows = [row.to_dict() for row in outcome.leaderboard]
    return Model(metadata.add(file.read_bytes(), {LEADERBOARD: rows}))
