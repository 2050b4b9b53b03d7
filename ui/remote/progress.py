"""Progress bars, in terminals and notebooks: how much was sent, how far a job is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flowml.ui.api.bodies.training import JobAnswer

LEAST_BYTES = 5_000_000  # a smaller file is sent before a bar is drawn


def wanted(show: bool | None) -> bool:
    """By default where somebody looks: in a terminal or a notebook."""
    if show is not None:
        return show
    return sys.stderr.isatty() or "ipykernel" in sys.modules


@contextmanager
def sending(name: str, size: int, show: bool | None) -> Iterator[Callable[[int], None]]:
    """To be called with the bytes that were sent so far."""
    if not wanted(show) or (show is None and size < LEAST_BYTES):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=size)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def training(show: bool | None) -> Iterator[Callable[[JobAnswer], None]]:
    """To be called with the job as it stands."""
    if not wanted(show):
        yield lambda _: None
        return
    import time

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    note = TextColumn("{task.fields[note]}")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), note)
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("queued", total=None, note="")

        def told(job: JobAnswer) -> None:
            budget = job.time_budget * 60
            used = 0.0 if job.started_at is None else (job.ended_at or time.time()) - job.started_at
            best = "" if job.best_score is None else f"best {job.metric} {job.best_score:#.5g}, "
            said = f"{best}{job.trials} {'trial' if job.trials == 1 else 'trials'}"
            total = budget if job.started_at is not None else None
            bar.update(
                task, description=job.status.value, total=total, completed=min(used, budget), note=said
            )

        yield told
