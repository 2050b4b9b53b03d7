"""`flowml.fit`: a table in memory becomes a model, without files, studio or Redis."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flowml.automl.serve import Model
from flowml.runner import local
from flowml.runner.kinds import duration
from flowml.runner.listener import Candidate, Listener, Summary
from flowml.runner.papers import MODEL
from flowml.storage.errors import DataError, SpecError
from flowml.storage.records import Finding, JobSpec, Level, TrialRecord


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
    try:
        spec = JobSpec(target, budget_s=duration(str(budget)), **options)
    except ValueError:
        raise SpecError(f"The budget is {budget!r}.", "Give one such as '60s', '5m' or seconds.") from None
    except TypeError as error:
        known = ", ".join(name for name in JobSpec.__dataclass_fields__ if name not in ("target", "budget_s"))
        raise SpecError(f"An option is not known: {error}.", f"There are: {known}.") from None
    with tempfile.TemporaryDirectory(prefix="flowml-") as folder:
        table = Path(folder) / "table.parquet"
        _write(frame, table)
        local.train(table, spec, Path(folder) / "out", listener or Silent())
        return Model.load(Path(folder) / "out" / MODEL)


def _write(frame: Any, table: Path) -> None:
    import polars as pl

    names = [str(name) for name in getattr(frame, "columns", ())]
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise DataError(f"Two columns are called {twice!r}.", "Give each column a name of its own.")
    try:
        polars = frame if isinstance(frame, pl.DataFrame) else pl.from_pandas(frame)
        polars.write_parquet(table)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"A {type(frame).__name__} cannot be read as a table: {error}.",
            "Give a polars or pandas DataFrame whose columns each hold one kind of value.",
        ) from error
