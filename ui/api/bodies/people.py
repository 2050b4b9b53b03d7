"""Users, tokens, projects and the audit log, as the API takes and tells them. No hash is ever told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr

from flowml.storage.records import Person, Project, Scope, Token, User, UserRole
from flowml.ui.api.bodies.base import Answer, Asked

if TYPE_CHECKING:
    from flowml.runner.people import Issued


class Me(Answer):
    """Who asks."""

    id: str = Field(description="Empty in a studio without logins.", examples=["user-01j9"])
    name: str = Field(examples=["ada"])
    role: UserRole
    scopes: list[Scope] = Field(description="What may be done with this login or token.")
    projects: dict[str, UserRole] = Field(default={}, description="Shared projects, and the role in each.")

    @classmethod
    def of_person(cls, person: Person) -> Me:
        ordered = [scope for scope in Scope if scope in person.scopes]
        return cls(id=person.id, name=person.name, role=person.role, scopes=ordered, projects=person.projects)


class PasswordAsked(Asked):
    password: SecretStr = Field(description="The new one: at least ten characters.")
    current: SecretStr = Field(SecretStr(""), description="The one that it replaces, where it is one's own.")


class UserAsked(Asked):
    name: str = Field(description="Letters, digits and . _ @ + -, never changed.", examples=["ada"])
    role: UserRole = UserRole.EDITOR
    password: SecretStr = Field(SecretStr(""), description="Empty: only by a login elsewhere.")
    email: str = Field("", description="By which a login elsewhere is recognised.")


class UserChanges(Asked):
    role: UserRole | None = None
    disabled: bool | None = Field(None, description="Disabled users cannot come in.")
    email: str | None = None


class UserAnswer(Answer):
    id: str = Field(examples=["user-01j9"])
    name: str = Field(examples=["ada"])
    role: UserRole
    email: str = ""
    disabled: bool = False
    created_at: float = Field(description="Seconds since 1970, UTC.")

    @classmethod
    def of_user(cls, user: User) -> UserAnswer:
        return cls.of(user)


class TokenAsked(Asked):
    name: str = Field(description="What it is for.", examples=["nightly report"])
    scopes: list[Scope] = Field(description="Some of one's own.", examples=[["read", "predict"]])
    days: float | None = Field(90, gt=0, description="Until it expires; null: never.")
    user_id: str = Field("", description="Whose token; default: one's own. Others': administrators only.")


class TokenAnswer(Answer):
    id: str = Field(examples=["token-01j9"])
    name: str
    user_id: str
    scopes: list[Scope]
    created_at: float = Field(description="Seconds since 1970, UTC.")
    expires_at: float | None = Field(None, description="Null: never.")
    used_at: float | None = Field(None, description="When it last let somebody in, to within a minute.")

    @classmethod
    def of_token(cls, token: Token) -> TokenAnswer:
        return cls.of(token)


class TokenIssued(TokenAnswer):
    secret: str = Field(description="The token itself. It is told this once.", examples=["flowml_…"])

    @classmethod
    def of_issued(cls, issued: Issued) -> TokenIssued:
        told: dict[str, Any] = TokenAnswer.of(issued.token).model_dump()
        return cls(**told, secret=issued.secret)


class ProjectAsked(Asked):
    name: str = Field(examples=["Churn"])


class ProjectChanges(Asked):
    name: str | None = None
    owner: str | None = Field(None, description="Id of the user who shall own it.")


class MemberAsked(Asked):
    role: UserRole = Field(description="viewer or editor: what the user may at most do in the project.")


class PlaceAsked(Asked):
    project: str = Field(
        description="Id of a project; empty: shared with all; one's own id: private.",
        examples=["project-01j9"],
    )


class ProjectAnswer(Answer):
    id: str = Field(examples=["project-01j9"])
    name: str
    owner: str = Field(description="Id of the user who owns it.")
    members: dict[str, UserRole] = Field(default={}, description="Id of a user: at most this role.")
    created_at: float = Field(description="Seconds since 1970, UTC.")

    @classmethod
    def of_project(cls, project: Project) -> ProjectAnswer:
        return cls.of(project)


class AuditAnswer(Answer):
    """One thing that was done, or was refused."""

    at: float = Field(description="Seconds since 1970, UTC.")
    who: str = Field(description="Name of the user.", examples=["ada"])
    action: str = Field(examples=["dataset.delete"])
    subject: str = Field("", description="Id of what it was done to.")
    outcome: str = Field("done", description="done or refused.")
    address: str = Field("", description="From which machine.")
    via: str = Field("", description="session, or the id of a token.")
