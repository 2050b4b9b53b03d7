"""What the Dashboard chooses to show."""

from __future__ import annotations

from dataclasses import replace

from flowml.storage.records import (
    Capabilities,
    Column,
    Dataset,
    DatasetSchema,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Role,
    Worker,
)
from flowml.ui.components import champions, cluster, quick_start

COLUMNS = (
    Column("id", "string", Role.IDENTIFIER),
    Column("<age>", "integer", Role.NUMERIC),
    Column("plan", "string", Role.CATEGORICAL),
)
TABLE = Dataset("d2", "clients", 2, "0" * 64, 200, 10, "a.csv", "csv", 2.0, DatasetSchema(200, COLUMNS))


def job(score: float | None, at: float, champion: str = "m", **more: object) -> Job:
    spec = JobSpec("plan", "d1")
    made = Job(
        f"job-{at}", JobKind.TRAINING, JobState.FINISHED, spec, dataset_name="clients", metric="f1",
        best_score=score, champion=champion, created_at=at, ended_at=at,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def test_the_champion_of_each_target_is_the_best_by_its_metric() -> None:
    ended = [
        job(0.7, 5.0),
        job(0.9, 4.0),
        job(0.99, 3.5, champion=""),
        job(0.2, 3.0, metric="rmse", direction="minimize"),
        job(0.3, 2.0, metric="rmse", direction="minimize"),
        job(None, 1.0, spec=JobSpec("<age>", "d1")),
    ]
    assert [(each.metric, each.best_score) for each in champions.leading(ended)] == [
        ("f1", 0.9),
        ("rmse", 0.2),
    ]


def test_a_quick_start_offers_what_can_be_predicted_and_what_was_last() -> None:
    names = quick_start.targets(TABLE)
    assert names == ["<age>", "plan"]
    assert quick_start.usual(names, TABLE, [job(0.7, 5.0)]) == 1
    assert quick_start.usual(names, replace(TABLE, name="others"), [job(0.7, 5.0)]) is None


def test_the_busiest_machine_stands_first() -> None:
    machine = Capabilities("CPU", 8, 4, 8, None, 16_000_000_000, 8_000_000_000)
    workers = [
        Worker(name, ("cpu",), machine, 0.0, 0.0, cpu_percent=load)
        for name, load in (("a", None), ("b", 20.0), ("c", 90.0))
    ]
    assert [worker.name for worker in cluster.busiest(workers)] == ["c", "b", "a"]
