"""What somebody sees and may do through the client: its own, what is shared with it, and nothing else."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from flowml.runner import catalog
from flowml.runner.client import Client
from flowml.runner.settings import Settings
from flowml.storage import audit, jobs, logs, models, projects
from flowml.storage.artifacts import LocalArtifacts
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.errors import Conflict, NotAllowed, NotFound
from flowml.storage.records import (
    SCOPES,
    SHARED,
    Artifact,
    Dataset,
    Job,
    JobSpec,
    JobState,
    Level,
    LogLine,
    Model,
    Person,
    Project,
    Scope,
    Task,
    UserRole,
)


def person(name: str, role: UserRole = UserRole.EDITOR, **shared: UserRole) -> Person:
    return Person(f"user-{name}", name, role, SCOPES[role], {f"project-{k}": v for k, v in shared.items()})


ADA, BOB = person("ada"), person("bob")
VIEWER, ADMIN = person("vic", UserRole.VIEWER), person("root", UserRole.ADMIN)


@pytest.fixture
def client(db: Database, datasets: Datasets, redis: Redis, settings: Settings) -> Client:
    artifacts = LocalArtifacts(settings.artifacts)
    return Client(db, datasets, artifacts, redis, settings, catalog.choices())


@pytest.fixture
def private(client: Client, db: Database, dataset: Dataset) -> dict[str, str]:
    """Ids of Ada's dataset, of her job on it and of its model."""
    ada = client.as_person(ADA)
    mine = client._datasets.move(dataset.id, ADA.home)
    job = ada.submit(JobSpec("y", dataset_id=mine.id, budget_s=30))
    ada.cancel(job.id)
    model = Model("model-1", job.id, "m", "dummy", Task.BINARY, "roc_auc", 0.5, 1.0, Artifact("ab" * 32, 1))
    with db.write() as cursor:
        models.insert(cursor, model)
        logs.append(cursor, [LogLine(time.time(), Level.INFO, "w", "secret", job.id)])
    return {"dataset": mine.id, "job": job.id, "model": model.id}


LOOKS: dict[str, Callable[[Client, dict[str, str]], object]] = {
    "dataset": lambda client, ids: client.dataset(ids["dataset"]),
    "preview": lambda client, ids: client.preview(ids["dataset"]),
    "stats": lambda client, ids: client.dataset_stats(ids["dataset"]),
    "submit": lambda client, ids: client.submit(JobSpec("y", dataset_id=ids["dataset"])),
    "delete dataset": lambda client, ids: client.delete_dataset(ids["dataset"]),
    "move dataset": lambda client, ids: client.move_dataset(ids["dataset"], SHARED),
    "job": lambda client, ids: client.job(ids["job"]),
    "cancel": lambda client, ids: client.cancel(ids["job"]),
    "stop": lambda client, ids: client.stop(ids["job"]),
    "delete job": lambda client, ids: client.delete_job(ids["job"]),
    "move job": lambda client, ids: client.move_job(ids["job"], SHARED),
    "events": lambda client, ids: client.events(ids["job"]),
    "trials": lambda client, ids: client.trials(ids["job"]),
    "leaderboard": lambda client, ids: client.leaderboard(ids["job"]),
    "models of a job": lambda client, ids: client.models(ids["job"])[0],
    "model": lambda client, ids: client.model(ids["model"]),
    "model file": lambda client, ids: client.model_file(ids["model"]),
}


@pytest.mark.parametrize("look", LOOKS)
def test_what_is_private_is_not_there_for_others(client: Client, private: dict[str, str], look: str) -> None:
    with pytest.raises((NotFound, IndexError)):
        LOOKS[look](client.as_person(BOB), private)


def test_a_name_that_several_projects_use_means_none(
    client: Client, private: dict[str, str], tmp_path: Path
) -> None:
    name = client.as_person(ADA).dataset(private["dataset"]).name
    (tmp_path / "t.csv").write_text("x,y\n1,2\n")
    shared = client.add_dataset(tmp_path / "t.csv", name, project=SHARED)
    assert client.as_person(BOB).dataset(name) == shared
    with pytest.raises(Conflict, match=f"2 projects have a dataset .*{shared.id}") as refused:
        client.as_person(ADA).dataset(name)
    assert private["dataset"] in refused.value.message


def test_who_may_ask_a_model_changes_at_once(client: Client, private: dict[str, str]) -> None:
    ada, bob = client.as_person(ADA), client.as_person(BOB)
    for _ in range(2):  # the second time it is remembered
        assert ada.model_to_ask(private["model"]).id == private["model"]
        with pytest.raises(NotFound):
            bob.model_to_ask(private["model"])
    client.move_job(private["job"], SHARED)
    assert bob.model_to_ask(private["model"]).id == private["model"]
    client._db.transact(lambda cursor: jobs.update(cursor, private["job"], project=ADA.id))
    with pytest.raises(NotFound):
        bob.model_to_ask(private["model"])
    ada.delete_job(private["job"])
    with pytest.raises(NotFound):
        ada.model_to_ask(private["model"])


def test_lists_counts_and_logs_leave_out_what_others_have(client: Client, private: dict[str, str]) -> None:
    for who, there in ((BOB, 0), (VIEWER, 0), (ADA, 1), (ADMIN, 1)):
        seat = client.as_person(who)
        found = (seat.datasets(), seat.jobs(), seat.models(), seat.logs(text="secret"))
        assert [len(each) for each in found] == [there] * 4, who.name
        stats = seat.stats()
        assert (stats["datasets"], stats["jobs"]["cancelled"], stats["models"]) == (there, there, there)
        assert seat.count_jobs() == there
    assert private["dataset"] not in [each.id for each in client.as_person(BOB).datasets()]


def test_a_project_shares_with_its_members_as_far_as_their_role_goes(
    client: Client, db: Database, private: dict[str, str]
) -> None:
    with db.write() as cursor:
        projects.insert(cursor, Project("project-p", "Churn", ADA.id, 1.0))
    owner = client.as_person(dataclasses.replace(ADA, projects={"project-p": UserRole.EDITOR}))
    owner.move_dataset(private["dataset"], "project-p")
    reader = client.as_person(person("bob", p=UserRole.VIEWER))
    assert reader.dataset(private["dataset"]).owner == ""
    with pytest.raises(NotFound):
        reader.job(private["job"])  # jobs are shared on their own
    with pytest.raises(NotAllowed, match="may only look"):
        reader.delete_dataset(private["dataset"])
    own = reader.submit(JobSpec("y", dataset_id=private["dataset"], budget_s=30))
    assert (own.project, own.owner) == ("user-bob", "bob")
    writer = client.as_person(person("cleo", p=UserRole.EDITOR))
    assert writer.submit(JobSpec("y", dataset_id=private["dataset"], budget_s=30)).project == "project-p"


def test_nothing_is_put_where_one_may_not_write(client: Client, private: dict[str, str]) -> None:
    ada = client.as_person(ADA)
    with pytest.raises(NotFound, match="no project"):
        ada.move_dataset(private["dataset"], "project-none")
    with pytest.raises(NotFound, match="no project"):
        ada.move_job(private["job"], BOB.id)


def test_a_viewer_only_looks_and_that_it_tried_is_noted(
    client: Client, db: Database, dataset: Dataset
) -> None:
    viewer = client.as_person(dataclasses.replace(VIEWER, address="10.0.0.7", via="token-1"))
    assert viewer.dataset(dataset.id).id == dataset.id
    with pytest.raises(NotAllowed, match="needs the scope write"):
        viewer.submit(JobSpec("y", dataset_id=dataset.id))
    with db.read() as cursor:
        (entry,) = audit.list_(cursor, who="vic")
    assert (entry.action, entry.outcome, entry.address, entry.via) == (
        "job.start",
        "refused",
        "10.0.0.7",
        "token-1",
    )


def test_a_token_without_the_scope_is_refused(client: Client, dataset: Dataset) -> None:
    narrow = client.as_person(dataclasses.replace(ADMIN, scopes=frozenset({Scope.PREDICT})))
    with pytest.raises(NotAllowed, match="needs the scope read, and there is predict"):
        narrow.dataset(dataset.id)


def test_changes_are_noted_with_what_they_changed(client: Client, db: Database, dataset: Dataset) -> None:
    job = client.submit(JobSpec("y", dataset_id=dataset.id, budget_s=30))
    client.cancel(job.id)
    with db.read() as cursor:
        noted = [(entry.who, entry.action, entry.subject) for entry in audit.list_(cursor)]
        assert jobs.get(cursor, job.id).state is JobState.CANCELLED
    assert noted == [("owner", "job.cancel", job.id), ("owner", "job.start", job.id)]


def test_what_is_made_without_logins_is_shared(client: Client, dataset: Dataset, tmp_path: Path) -> None:
    job: Job = client.submit(JobSpec("y", dataset_id=dataset.id, budget_s=30))
    assert (dataset.project, job.project, job.owner) == (SHARED, SHARED, "")
    table = tmp_path / "t.csv"
    table.write_text("x,y\n" + "".join(f"{n},{n % 2}\n" for n in range(20)))
    own = client.as_person(ADA).add_dataset(table, "t")
    assert (own.project, own.owner, own.version) == (ADA.id, "ada", 1)
    assert client.as_person(BOB).add_dataset(table, "t").version == 1  # names of others are not known
