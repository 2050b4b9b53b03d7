"""Users, sessions, tokens, projects and the audit log, as tables."""

from __future__ import annotations

from typing import Any

import pytest

from flowml.storage import audit, jobs, projects, sessions, tokens, users
from flowml.storage.db import Cursor
from flowml.storage.errors import Conflict, NotFound
from flowml.storage.records import (
    OWNER,
    SCOPES,
    SHARED,
    AuditEntry,
    Job,
    JobKind,
    JobSpec,
    JobState,
    Person,
    Project,
    Scope,
    Session,
    Token,
    User,
    UserRole,
)


def user(name: str, role: UserRole = UserRole.EDITOR, **more: Any) -> User:
    return User(f"user-{name.lower()}", name, role, created_at=1.0, **more)


def test_users_are_found_by_name_in_any_case_and_by_address(cursor: Cursor) -> None:
    ada = user("Ada", email="Ada@Example.com", password="hash")
    users.insert(cursor, ada)
    assert users.named(cursor, "aDA") == users.of_email(cursor, "ada@example.COM") == ada
    assert users.of_email(cursor, "") is None
    with pytest.raises(Conflict, match="ada"):
        users.insert(cursor, user("ada"))
    with pytest.raises(Conflict, match="that of the user Ada"):
        users.insert(cursor, user("bob", email="ada@example.com"))
    assert (users.count(cursor), "hash" in repr(ada)) == (1, False)


def test_the_last_administrator_stays(cursor: Cursor) -> None:
    users.insert(cursor, user("ada", UserRole.ADMIN))
    users.insert(cursor, user("bob"))
    for change in ({"role": UserRole.EDITOR}, {"disabled": True}):
        with pytest.raises(Conflict, match="last administrator"):
            users.update(cursor, "user-ada", **change)
    with pytest.raises(Conflict, match="last administrator"):
        users.delete(cursor, "user-ada")
    users.update(cursor, "user-bob", role=UserRole.ADMIN)
    users.delete(cursor, "user-ada")
    assert [each.name for each in users.list_(cursor)] == ["bob"]
    with pytest.raises(NotFound):
        users.get(cursor, "user-ada")


def test_sessions_end_by_themselves_and_with_their_user(cursor: Cursor) -> None:
    for key, until in (("a", 10.0), ("b", 20.0), ("c", 30.0)):
        sessions.insert(cursor, Session(key, "user-ada", 1.0, until, 1.0))
    sessions.drop_before(cursor, 15.0)
    assert [each.key for each in sessions.list_(cursor, "user-ada")] == ["c", "b"]
    sessions.delete_of_user(cursor, "user-ada", but="b")
    assert sessions.find(cursor, "c") is None
    sessions.delete(cursor, "b")
    sessions.update(cursor, Session("b", "user-ada", 1.0, 99.0, 1.0))  # it does not come back
    assert sessions.list_(cursor, "user-ada") == ()


def test_tokens_are_found_by_the_hash_of_their_secret(cursor: Cursor) -> None:
    one = Token("token-1", "hash", "user-ada", "cron", (Scope.READ,), 1.0, expires_at=9.0)
    tokens.insert(cursor, one)
    assert tokens.find(cursor, "hash") == tokens.get(cursor, "token-1") == one
    assert tokens.list_(cursor, "user-bob") == ()
    tokens.delete(cursor, "token-1")
    assert tokens.find(cursor, "hash") is None


def test_a_project_tells_the_roles_of_its_users(cursor: Cursor) -> None:
    projects.insert(cursor, Project("project-1", "Churn", "user-ada", 1.0))
    projects.update(cursor, "project-1", members={"user-bob": UserRole.VIEWER})
    assert projects.roles(cursor, "user-ada", UserRole.EDITOR) == {"project-1": UserRole.EDITOR}
    assert projects.roles(cursor, "user-bob", UserRole.EDITOR) == {"project-1": UserRole.VIEWER}
    assert projects.roles(cursor, "user-cleo", UserRole.EDITOR) == {}


def test_only_an_empty_project_is_removed(cursor: Cursor) -> None:
    projects.insert(cursor, Project("project-1", "Churn", "user-ada", 1.0))
    job = Job("job-1", JobKind.TRAINING, JobState.FAILED, JobSpec("y"), 1.0, project="project-1")
    jobs.insert(cursor, job)
    with pytest.raises(Conflict, match="there is a job in it"):
        projects.delete(cursor, "project-1")
    jobs.update(cursor, "job-1", project=SHARED)
    projects.delete(cursor, "project-1")
    assert projects.list_(cursor) == ()


def test_the_audit_log_is_newest_first_and_can_be_narrowed(cursor: Cursor) -> None:
    for at, who in enumerate(("ada", "bob", "ada")):
        audit.insert(cursor, AuditEntry(float(at), who, "dataset.add", f"dataset-{at}"))
    assert [entry.subject for entry in audit.list_(cursor, who="ada")] == ["dataset-2", "dataset-0"]
    assert [entry.at for entry in audit.list_(cursor, limit=1, offset=1)] == [1.0]
    audit.drop_before(cursor, 2.0)
    assert len(audit.list_(cursor)) == 1


@pytest.mark.parametrize(
    ("role", "project", "sees", "changes"),
    [
        (UserRole.VIEWER, SHARED, True, False),
        (UserRole.EDITOR, SHARED, True, True),
        (UserRole.EDITOR, "user-me", True, True),
        (UserRole.EDITOR, "user-other", False, False),
        (UserRole.EDITOR, "project-look", True, False),
        (UserRole.EDITOR, "project-work", True, True),
        (UserRole.VIEWER, "project-work", True, False),
        (UserRole.ADMIN, "user-other", True, True),
    ],
)
def test_what_a_person_sees_and_changes(role: UserRole, project: str, sees: bool, changes: bool) -> None:
    shared = {"project-look": UserRole.VIEWER, "project-work": UserRole.EDITOR}
    me = Person("user-me", "me", role, SCOPES[role], shared)
    assert (me.sees(project), me.may_change(project)) == (sees, changes)
    assert (OWNER.sees(project), OWNER.may_change(project)) == (True, True)


def test_a_token_may_do_less_than_its_user() -> None:
    reader = Person("user-me", "me", UserRole.ADMIN, frozenset({Scope.READ}))
    assert (reader.sees("user-other"), reader.may_change(SHARED)) == (True, False)
