"""/api/me, users, tokens, projects and the audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from flowml.ui.api.bodies.datasets import DatasetSummary
from flowml.ui.api.bodies.people import (
    AuditAnswer,
    Me,
    MemberAsked,
    PasswordAsked,
    PlaceAsked,
    ProjectAnswer,
    ProjectAsked,
    ProjectChanges,
    TokenAnswer,
    TokenAsked,
    TokenIssued,
    UserAnswer,
    UserAsked,
    UserChanges,
)
from flowml.ui.api.bodies.training import JobAnswer
from flowml.ui.api.studio import TheClient, ThePeople
from flowml.ui.problems import told

router = APIRouter(tags=["people"])
NOTHING = Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/me")
def get_me(people: ThePeople) -> Me:
    """Who asks, and what it may do."""
    return Me.of_person(people.me())


@router.put("/me/password", status_code=status.HTTP_204_NO_CONTENT, responses=told(401, 404, 422, 429))
def put_own_password(asked: PasswordAsked, people: ThePeople) -> Response:
    """Change one's own password. All sessions end."""
    me = people.me()
    people.set_password(me.id, asked.password.get_secret_value(), asked.current.get_secret_value())
    return NOTHING


@router.delete("/me/sessions", status_code=status.HTTP_204_NO_CONTENT, responses=told(422))
def end_own_sessions(people: ThePeople) -> Response:
    """Sign out everywhere."""
    people.end_sessions()
    return NOTHING


@router.get("/users")
def list_users(people: ThePeople) -> list[UserAnswer]:
    """All users, by name."""
    return [UserAnswer.of_user(user) for user in people.users()]


@router.get("/users/names")
def list_names(people: ThePeople) -> dict[str, str]:
    """The name of each user by its id, to share projects with."""
    return people.names()


@router.post("/users", status_code=status.HTTP_201_CREATED, responses=told(409, 422))
def add_user(asked: UserAsked, people: ThePeople) -> UserAnswer:
    """Add a user. The first one must be an administrator; from then on everybody signs in."""
    password = asked.password.get_secret_value()
    return UserAnswer.of_user(people.add_user(asked.name, asked.role, password, asked.email))


@router.patch("/users/{user_id}", responses=told(404, 409, 422))
def change_user(user_id: str, asked: UserChanges, people: ThePeople) -> UserAnswer:
    """Give a user another role or address, or keep it out."""
    return UserAnswer.of_user(people.change_user(user_id, asked.role, asked.disabled, asked.email))


@router.put(
    "/users/{user_id}/password",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=told(401, 404, 422, 429),
)
def put_password(user_id: str, asked: PasswordAsked, people: ThePeople) -> Response:
    """Give a user another password. All its sessions end."""
    people.set_password(user_id, asked.password.get_secret_value(), asked.current.get_secret_value())
    return NOTHING


@router.delete("/users/{user_id}", status_code=status.HTTP_204_NO_CONTENT, responses=told(404, 409))
def remove_user(user_id: str, people: ThePeople) -> Response:
    """Remove a user with its sessions and tokens. What it made stays; administrators see it."""
    people.remove_user(user_id)
    return NOTHING


@router.delete("/users/{user_id}/sessions", status_code=status.HTTP_204_NO_CONTENT, responses=told(404))
def end_sessions(user_id: str, people: ThePeople) -> Response:
    """Sign a user out everywhere."""
    people.end_sessions(user_id)
    return NOTHING


@router.get("/tokens")
def list_tokens(
    people: ThePeople, all: Annotated[bool, Query(description="Those of everybody.")] = False
) -> list[TokenAnswer]:
    """One's own tokens, newest first; for administrators, if asked, those of all."""
    return [TokenAnswer.of_token(token) for token in people.tokens(all)]


@router.post("/tokens", status_code=status.HTTP_201_CREATED, responses=told(404, 422))
def issue_token(asked: TokenAsked, people: ThePeople) -> TokenIssued:
    """Make a token for programs. A token itself may not."""
    return TokenIssued.of_issued(people.issue_token(asked.name, asked.scopes, asked.days, asked.user_id))


@router.delete("/tokens/{token_id}", status_code=status.HTTP_204_NO_CONTENT, responses=told(404))
def revoke_token(token_id: str, people: ThePeople) -> Response:
    """End a token now."""
    people.revoke_token(token_id)
    return NOTHING


@router.get("/projects")
def list_projects(people: ThePeople) -> list[ProjectAnswer]:
    """Projects that one owns or is a member of."""
    return [ProjectAnswer.of_project(project) for project in people.projects()]


@router.post("/projects", status_code=status.HTTP_201_CREATED, responses=told(409, 422))
def add_project(asked: ProjectAsked, people: ThePeople) -> ProjectAnswer:
    """A new place for datasets, jobs and models that some users share."""
    return ProjectAnswer.of_project(people.add_project(asked.name))


@router.patch("/projects/{project_id}", responses=told(404, 422))
def change_project(project_id: str, asked: ProjectChanges, people: ThePeople) -> ProjectAnswer:
    """Give a project another name or owner."""
    return ProjectAnswer.of_project(people.change_project(project_id, asked.name, asked.owner))


@router.delete("/projects/{project_id}", status_code=status.HTTP_204_NO_CONTENT, responses=told(404, 409))
def remove_project(project_id: str, people: ThePeople) -> Response:
    """Remove an empty project."""
    people.remove_project(project_id)
    return NOTHING


@router.put("/projects/{project_id}/members/{user_id}", responses=told(404, 422))
def add_member(project_id: str, user_id: str, asked: MemberAsked, people: ThePeople) -> ProjectAnswer:
    """Let a user look at, or work in, a project."""
    return ProjectAnswer.of_project(people.share_project(project_id, user_id, asked.role))


@router.delete("/projects/{project_id}/members/{user_id}", responses=told(404, 422))
def remove_member(project_id: str, user_id: str, people: ThePeople) -> ProjectAnswer:
    """Let a user no more into a project."""
    return ProjectAnswer.of_project(people.share_project(project_id, user_id, None))


@router.put("/datasets/{dataset_id}/project", responses=told(404))
def move_dataset(dataset_id: str, asked: PlaceAsked, client: TheClient) -> DatasetSummary:
    """Put a dataset into another project, where it is the next version of its name."""
    return DatasetSummary.of_dataset(client.move_dataset(dataset_id, asked.project))


@router.put("/training/{job_id}/project", responses=told(404))
def move_job(job_id: str, asked: PlaceAsked, client: TheClient) -> JobAnswer:
    """Put a job with its models into another project."""
    return JobAnswer.of_job(client.move_job(job_id, asked.project))


@router.get("/audit")
def list_audit(
    people: ThePeople,
    who: Annotated[str | None, Query(description="Name of a user.")] = None,
    action: Annotated[str | None, Query(description="As dataset.delete.")] = None,
    subject: Annotated[str | None, Query(description="Id of what it was done to.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> list[AuditAnswer]:
    """Who did what, newest first."""
    return [AuditAnswer.of(entry) for entry in people.audit(who, action, subject, limit, offset)]
