"""Users, tokens and projects, as they are managed by who may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowml.runner.entrance import Entrance
from flowml.runner.people import People
from flowml.runner.settings import Settings
from flowml.storage.db import MEMORY, Database
from flowml.storage.errors import Conflict, FlowMLError, InputError, NotAllowed, NotFound, NotSignedIn
from flowml.storage.records import SCOPES, Person, Scope, UserRole

PASSWORD = "correct horse battery"


@pytest.fixture
def people(home: Path) -> Iterator[People]:
    db = Database(MEMORY)
    yield People(db, Entrance(db, Settings(home=home)))
    db.close()


@pytest.fixture
def seat(people: People) -> Callable[[str], People]:
    """The same as one of three users."""
    roles = {"root": UserRole.ADMIN, "ada": UserRole.EDITOR, "bob": UserRole.EDITOR}
    made = {name: people.add_user(name, role, PASSWORD) for name, role in roles.items()}

    def of(name: str, via: str = "session") -> People:
        user = made[name]
        found = people._entrance.of_cookie(people._entrance.open_session(user))
        assert found is not None
        return people.as_person(Person(user.id, name, user.role, SCOPES[user.role], found.projects, via=via))

    return of


REFUSED_USERS: list[tuple[tuple[object, ...], type[FlowMLError], str]] = [
    (("a b", UserRole.ADMIN, PASSWORD), InputError, "no name of a user"),
    (("", UserRole.ADMIN, PASSWORD), InputError, "no name of a user"),
    (("../etc", UserRole.ADMIN, PASSWORD), InputError, "no name of a user"),
    (("ada", UserRole.ADMIN, "short"), InputError, "5 characters"),
    (("ada", UserRole.ADMIN, "aaaaaaaaaaaa"), InputError, "easy to guess"),
    (("correct.horse", UserRole.ADMIN, "Correct.Horse"), InputError, "easy to guess"),
    (("ada", UserRole.ADMIN, ""), InputError, "neither a password nor an address"),
    (("ada", UserRole.ADMIN, PASSWORD, "no address"), InputError, "no mail address"),
    (("ada", UserRole.EDITOR, PASSWORD), Conflict, "must be an administrator"),
]


@pytest.mark.parametrize(("asked", "kind", "words"), REFUSED_USERS)
def test_a_user_that_will_not_do_is_refused(
    people: People, asked: tuple[object, ...], kind: type[FlowMLError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        people.add_user(*asked)  # type: ignore[arg-type]
    assert people.users() == ()


def test_a_password_is_changed_with_the_current_one_or_by_an_administrator(
    people: People, seat: Callable[[str], People]
) -> None:
    ada, root, entrance = seat("ada"), seat("root"), people._entrance
    with pytest.raises(NotSignedIn, match="current password"):
        ada.set_password(ada.who.id, "another long one", "wrong")
    ada.set_password(ada.who.id, "another long one", PASSWORD)
    with pytest.raises(NotSignedIn):
        entrance.sign_in("ada", PASSWORD)
    secret = entrance.sign_in("ada", "another long one")
    with pytest.raises(NotAllowed):
        seat("bob").set_password(ada.who.id, "mine now, really")
    root.set_password(ada.who.id, "a third long one")
    assert entrance.of_cookie(secret) is None  # whoever was in is out


def test_tokens_are_ones_own_and_make_no_others(people: People, seat: Callable[..., People]) -> None:
    ada, bob, root = seat("ada"), seat("bob"), seat("root")
    issued = ada.issue_token("  nightly   report ", [Scope.WRITE, Scope.READ])
    assert (issued.token.name, issued.token.scopes) == ("nightly report", (Scope.READ, Scope.WRITE))
    assert [token.id for token in ada.tokens()] == [issued.token.id]
    assert (bob.tokens(), root.tokens(), len(root.tokens(all=True))) == ((), (), 1)
    with pytest.raises(NotAllowed):
        bob.tokens(all=True)
    with pytest.raises(NotFound):
        bob.revoke_token(issued.token.id)
    for scopes in ([], [Scope.ADMIN]):
        with pytest.raises(InputError, match="scopes"):
            ada.issue_token("t", scopes)
    with pytest.raises(InputError, match="expected some of predict, read"):
        root.issue_token("t", [Scope.READ, Scope.ADMIN], user_id=ada.who.id)
    with pytest.raises(NotAllowed):
        bob.issue_token("t", [Scope.READ], user_id=ada.who.id)
    with pytest.raises(NotAllowed, match="cannot make tokens"):
        seat("ada", via="token-1").issue_token("t", [Scope.READ])
    with pytest.raises(InputError, match="for which user"):
        people.issue_token("t", [Scope.READ])
    for days in (0, -1, 1e9):
        with pytest.raises(InputError, match="days"):
            ada.issue_token("t", [Scope.READ], days=days)
    root.revoke_token(issued.token.id)
    assert ada.tokens() == ()


def test_a_project_is_its_owners_to_share(seat: Callable[[str], People]) -> None:
    ada, bob, root = seat("ada"), seat("bob"), seat("root")
    project = ada.add_project(" Churn\x07\n")
    ada, bob_id = seat("ada"), bob.who.id
    assert [each.name for each in ada.projects()] == ["Churn"]
    assert (bob.projects(), len(root.projects())) == ((), 1)
    for change in (
        lambda: bob.share_project(project.id, bob_id, UserRole.EDITOR),
        lambda: bob.change_project(project.id, name="mine"),
        lambda: bob.remove_project(project.id),
    ):
        with pytest.raises(NotFound):
            change()
    ada.share_project(project.id, bob_id, UserRole.VIEWER)
    bob = seat("bob")
    assert bob.who.projects == {project.id: UserRole.VIEWER}
    with pytest.raises(NotAllowed, match="not yours"):
        bob.change_project(project.id, name="mine")
    for user, role in ((bob_id, UserRole.ADMIN), (ada.who.id, UserRole.VIEWER)):
        with pytest.raises(InputError):
            ada.share_project(project.id, user, role)
    assert ada.change_project(project.id, name="Leavers", owner=bob_id).members == {}
    bob = seat("bob")
    bob.share_project(project.id, ada.who.id, UserRole.EDITOR)
    bob.share_project(project.id, ada.who.id, None)
    bob.remove_project(project.id)
    assert root.projects() == ()


def test_without_logins_there_are_no_projects(people: People) -> None:
    with pytest.raises(Conflict, match="all is shared"):
        people.add_project("Churn")


def test_who_left_is_in_no_project(seat: Callable[[str], People]) -> None:
    ada, bob, root = seat("ada"), seat("bob"), seat("root")
    project = ada.add_project("Churn")
    seat("ada").share_project(project.id, bob.who.id, UserRole.VIEWER)
    root.remove_user(bob.who.id)
    assert root.projects()[0].members == {}
    assert bob.who.id not in root.names()


def test_the_audit_log_is_for_administrators(seat: Callable[[str], People]) -> None:
    root = seat("root")
    root.add_user("eve", UserRole.VIEWER, PASSWORD)
    noted = {entry.action: entry.who for entry in root.audit(who="root")}
    assert noted == {"user.add": "root", "login": "root"}
    with pytest.raises(NotAllowed):
        seat("ada").audit()
