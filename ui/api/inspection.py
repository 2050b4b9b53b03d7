"""/api/datasets/{id}/…: what is in a table, what its columns are for, and tables made from it by SQL."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, status

from flowml.storage.records import Finding, JobSpec, Profile, Severity, TargetAssociation, VersionDifference
from flowml.ui.api.bodies.datasets import DatasetAnswer
from flowml.ui.api.bodies.inspection import DeriveAsked, FixAsked, QueryAnswer, QueryAsked, RolesAsked
from flowml.ui.api.studio import TheClient
from flowml.ui.problems import told

TASKS = "^(auto|binary|multiclass|regression)$"

router = APIRouter(prefix="/datasets/{dataset_id}", tags=["datasets"])


@router.get("/profile", responses=told(404))
def get_profile(dataset_id: str, client: TheClient) -> Profile:
    """Counts, spreads, frequent values, repeated rows and associations between columns."""
    return client.profile(dataset_id)


@router.get("/associations", responses=told(404, 422))
def get_associations(
    dataset_id: str,
    client: TheClient,
    target: Annotated[str, Query(description="The column to predict.")],
    task: Annotated[str, Query(pattern=TASKS)] = "auto",
) -> list[TargetAssociation]:
    """What each column alone tells of a target, most telling first."""
    return list(client.target_associations(dataset_id, target, task))


@router.get("/check", responses=told(404, 422))
def get_check(
    dataset_id: str,
    client: TheClient,
    target: Annotated[str, Query(description="The column to predict; without one, only the columns.")] = "",
    task: Annotated[str, Query(pattern=TASKS)] = "auto",
    metric: Annotated[str, Query()] = "auto",
    split: Annotated[str, Query(examples=["group:customer"])] = "auto",
) -> list[Finding]:
    """What would make the score of a job a lie or its model useless, the gravest first, each with its fix."""
    spec = JobSpec(target, dataset_id=dataset_id, task=task, metric=metric, split=split)
    return list(client.check(spec))


@router.post("/apply", responses=told(404, 422))
def apply_fix(dataset_id: str, asked: FixAsked, client: TheClient) -> DatasetAnswer:
    """Do what the fix of a finding says: other roles, or a mended version, which is another dataset."""
    finding = Finding("", Severity.NOTE, "", fix=asked.fix.model_dump(exclude_unset=True))
    return DatasetAnswer.of(client.apply(dataset_id, finding))


@router.get("/difference", responses=told(404, 422))
def get_difference(
    dataset_id: str,
    client: TheClient,
    since: Annotated[str, Query(description="Id of the dataset to compare with, mostly an older version.")],
) -> VersionDifference:
    """What changed of columns, types and values."""
    return client.difference(since, dataset_id)


@router.put("/roles", responses=told(404, 422))
def put_roles(dataset_id: str, asked: RolesAsked, client: TheClient) -> DatasetAnswer:
    """Say what columns are for where the guess was wrong; a column that is left out is as guessed."""
    return DatasetAnswer.of(client.set_roles(dataset_id, asked.roles))


@router.post("/query", responses=told(404, 422))
def query_dataset(dataset_id: str, asked: QueryAsked, client: TheClient) -> QueryAnswer:
    """The first rows of what `SELECT … FROM dataset` gives. It can read this one table and nothing else."""
    return QueryAnswer(**client.query(dataset_id, asked.sql, asked.rows))


@router.post("/derive", status_code=status.HTTP_201_CREATED, responses=told(404, 422))
def derive_dataset(dataset_id: str, asked: DeriveAsked, client: TheClient) -> DatasetAnswer:
    """Keep what a query gives as the next version of the dataset, or under another name."""
    return DatasetAnswer.of(client.derive(dataset_id, asked.sql, asked.name or None))
