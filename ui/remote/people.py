"""Users, tokens, projects and the audit log of a studio."""

from __future__ import annotations

from collections.abc import Collection

from flowml.storage.records import Scope, UserRole
from flowml.ui.api.bodies.people import (
    AuditAnswer,
    Me,
    ProjectAnswer,
    TokenAnswer,
    TokenIssued,
    UserAnswer,
)
from flowml.ui.remote.wire import Wire, quoted


class PeoplePart(Wire):
    def me(self) -> Me:
        """Who asks, and what it may do."""
        return self._one(Me, "GET", "me")

    def set_password(self, password: str, current: str = "", user_id: str = "") -> None:
        """One's own with the current one; as an administrator that of another user."""
        path = f"users/{quoted(user_id)}/password" if user_id else "me/password"
        self._ask("PUT", path, json={"password": password, "current": current})

    def sign_out_everywhere(self, user_id: str = "") -> None:
        self._ask("DELETE", f"users/{quoted(user_id)}/sessions" if user_id else "me/sessions")

    def users(self) -> list[UserAnswer]:
        return self._one(list[UserAnswer], "GET", "users")

    def user_names(self) -> dict[str, str]:
        """The name of each user by its id."""
        return self._one(dict[str, str], "GET", "users/names")

    def add_user(
        self, name: str, role: UserRole | str = "editor", password: str = "", email: str = ""
    ) -> UserAnswer:
        asked = {"name": name, "role": str(role), "password": password, "email": email}
        return self._one(UserAnswer, "POST", "users", json=asked)

    def change_user(
        self,
        user_id: str,
        role: UserRole | str | None = None,
        disabled: bool | None = None,
        email: str | None = None,
    ) -> UserAnswer:
        asked = {"role": role, "disabled": disabled, "email": email}
        given = {name: value for name, value in asked.items() if value is not None}
        return self._one(UserAnswer, "PATCH", f"users/{quoted(user_id)}", json=given)

    def remove_user(self, user_id: str) -> None:
        self._ask("DELETE", f"users/{quoted(user_id)}")

    def tokens(self, all: bool = False) -> list[TokenAnswer]:
        """One's own; as an administrator, if asked, those of everybody."""
        return self._one(list[TokenAnswer], "GET", "tokens", params={"all": all})

    def issue_token(
        self, name: str, scopes: Collection[Scope | str], days: float | None = 90, user_id: str = ""
    ) -> TokenIssued:
        """Its `secret` is told this once."""
        asked = {"name": name, "scopes": [str(each) for each in scopes], "days": days, "user_id": user_id}
        return self._one(TokenIssued, "POST", "tokens", json=asked)

    def revoke_token(self, token_id: str) -> None:
        self._ask("DELETE", f"tokens/{quoted(token_id)}")

    def projects(self) -> list[ProjectAnswer]:
        return self._one(list[ProjectAnswer], "GET", "projects")

    def add_project(self, name: str) -> ProjectAnswer:
        return self._one(ProjectAnswer, "POST", "projects", json={"name": name})

    def change_project(
        self, project_id: str, name: str | None = None, owner: str | None = None
    ) -> ProjectAnswer:
        """Give a project another name, or another owner by its id."""
        given = {key: value for key, value in (("name", name), ("owner", owner)) if value is not None}
        return self._one(ProjectAnswer, "PATCH", f"projects/{quoted(project_id)}", json=given)

    def share_project(self, project_id: str, user_id: str, role: UserRole | str | None) -> ProjectAnswer:
        """Let a user look at, or work in, a project; None: no more."""
        path = f"projects/{quoted(project_id)}/members/{quoted(user_id)}"
        if role is None:
            return self._one(ProjectAnswer, "DELETE", path)
        return self._one(ProjectAnswer, "PUT", path, json={"role": str(role)})

    def remove_project(self, project_id: str) -> None:
        self._ask("DELETE", f"projects/{quoted(project_id)}")

    def audit(
        self, who: str = "", action: str = "", subject: str = "", limit: int | None = 100
    ) -> list[AuditAnswer]:
        """Who did what, newest first."""
        return self._many(AuditAnswer, "audit", {"who": who, "action": action, "subject": subject}, limit)
