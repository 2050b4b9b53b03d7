"""/api/registry: models under a name that stays, in versions, some of which bear an alias."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response, status

from flowml.ui.api.bodies.registry import (
    AliasAsked,
    RegisterAsked,
    RegisteredAnswer,
    RegisteredName,
)
from flowml.ui.api.paging import PAGED, ThePage
from flowml.ui.api.studio import TheClient
from flowml.ui.problems import told

router = APIRouter(prefix="/registry", tags=["registry"])

Version = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("", responses=PAGED)
def list_registered(client: TheClient, page: ThePage) -> list[RegisteredName]:
    """All names, each with its newest version and its aliases."""
    return list(page.of(RegisteredName.of_versions(client.registered())))


@router.post("/{name}", status_code=status.HTTP_201_CREATED, responses=told(404, 409, 422))
def register_model(name: str, asked: RegisterAsked, client: TheClient) -> RegisteredAnswer:
    """Make a model the next version of a name, in the model's project."""
    made = client.register_model(name, asked.model_id, asked.note, asked.alias, asked.anyway)
    return RegisteredAnswer.of(made)


@router.get("/{name}", responses=told(404))
def list_versions(name: str, client: TheClient) -> list[RegisteredAnswer]:
    """The versions of a name, newest first."""
    return [RegisteredAnswer.of(each) for each in client.registered(name)]


@router.get("/{name}/versions/{version}", responses=told(404, 409))
def get_version(name: str, version: Version, client: TheClient) -> RegisteredAnswer:
    """One version of a name."""
    return RegisteredAnswer.of(client.registered_version(name, version))


@router.delete("/{name}/versions/{version}", status_code=status.HTTP_204_NO_CONTENT, responses=told(404, 409))
def unregister_version(name: str, version: Version, client: TheClient) -> Response:
    """Take a version out of the registry. The model itself stays."""
    client.unregister(name, version)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/{name}/aliases/{alias}", responses=told(404, 409))
def get_alias(name: str, alias: str, client: TheClient) -> RegisteredAnswer:
    """The version that an alias points to."""
    return RegisteredAnswer.of(client.pointed_at(name, alias))


@router.put("/{name}/aliases/{alias}", responses=told(404, 409, 422))
def promote_version(name: str, alias: str, asked: AliasAsked, client: TheClient) -> RegisteredAnswer:
    """Point an alias, such as `production`, at a version; to one that is asked otherwise, only `anyway`."""
    return RegisteredAnswer.of(client.promote(name, asked.version, alias, asked.anyway))


@router.delete("/{name}/aliases/{alias}", status_code=status.HTTP_204_NO_CONTENT, responses=told(404, 409))
def drop_alias(name: str, alias: str, client: TheClient) -> Response:
    """Remove an alias; the version stays."""
    client.drop_alias(name, alias)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
