"""`flowml user`: who may use a studio. Of the one of this machine also while it rests."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Protocol

import typer

from flowml.storage.records import UserRole
from flowml.ui.cli import completing
from flowml.ui.cli.asking import Column, Json, StudioUrl, Yes, asking, done, moment, show, sure
from flowml.ui.cli.ending import ended

app = typer.Typer(help="Who may use a studio: viewers, editors and administrators.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of a user.", autocompletion=completing.users)]
Stdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from the input.")]
LIST: tuple[Column, ...] = (
    ("NAME", lambda u: u.name),
    ("ROLE", lambda u: u.role.value),
    ("ADDRESS", lambda u: u.email),
    ("", lambda u: "disabled" if u.disabled else ""),
    ("ADDED", lambda u: moment(u.created_at)),
)


class Known(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def role(self) -> UserRole: ...


class Users(Protocol):
    """What a running studio and a resting one can both be asked."""

    def users(self) -> Sequence[Known]: ...
    def add_user(self, name: str, role: UserRole, password: str = "", email: str = "") -> Known: ...
    def change_user(
        self, id: str, role: UserRole | None = None, disabled: bool | None = None, email: str | None = None, /
    ) -> Known: ...
    def remove_user(self, id: str, /) -> None: ...


@contextmanager
def managing(url: str) -> Iterator[Users]:
    """Those of the studio that is asked, or of the data folder where none runs on it."""
    from flowml.runner.notes import read_note
    from flowml.runner.settings import read_settings

    with ended():
        settings = read_settings()
        if url or settings.studio_url or read_note(settings.home) is not None:
            with asking(url) as studio:
                yield studio
            return
        from flowml.runner.offline import people_of

        with people_of(settings) as people:
            yield people


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Name of a user.")],
    role: Annotated[UserRole, typer.Option(help="viewer, editor or admin.")] = UserRole.EDITOR,
    email: Annotated[str, typer.Option(help="By which a login elsewhere is recognised.")] = "",
    password_stdin: Stdin = False,
    no_password: Annotated[bool, typer.Option("--no-password", help="Only by a login elsewhere.")] = False,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Add a user. The first must be an administrator; from then on everybody signs in."""
    with managing(studio) as users:
        user = users.add_user(name, role, "" if no_password else _password(password_stdin), email)
        done(f"Added {user.name} ({user.role}).", as_json, id=user.id, name=user.name, role=user.role.value)


@app.command("list")
def list_(studio: StudioUrl = "", as_json: Json = False) -> None:
    """List the users."""
    with managing(studio) as users:
        show([_shown(user) for user in users.users()], LIST, as_json, "No user yet: nobody signs in.")


@app.command()
def role(name: Name, role: UserRole, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Give a user another role."""
    with managing(studio) as users:
        user = users.change_user(_id(users, name), role)
        done(f"{user.name} is {user.role}.", as_json, name=user.name, role=user.role.value)


@app.command()
def disable(name: Name, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Keep a user out: sessions end, tokens let nobody in."""
    with managing(studio) as users:
        users.change_user(_id(users, name), None, True)
        done(f"{name} cannot come in any more.", as_json, name=name, disabled=True)


@app.command()
def enable(name: Name, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Let a user in again."""
    with managing(studio) as users:
        users.change_user(_id(users, name), None, False)
        done(f"{name} may come in again.", as_json, name=name, disabled=False)


@app.command()
def password(
    name: Name, password_stdin: Stdin = False, studio: StudioUrl = "", as_json: Json = False
) -> None:
    """Give a user another password. All its sessions end."""
    with managing(studio) as users:
        id = _id(users, name)
        fresh = _password(password_stdin)
        if hasattr(users, "url"):
            users.set_password(fresh, user_id=id)  # type: ignore[attr-defined]
        else:
            users.set_password(id, fresh)  # type: ignore[attr-defined]
        done(f"{name} has another password.", as_json, name=name)


@app.command()
def remove(name: Name, yes: Yes = False, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Remove a user with its sessions and tokens. What it made stays."""
    with managing(studio) as users:
        sure(f"Remove the user {name}?", yes or as_json)
        users.remove_user(_id(users, name))
        done(f"Removed {name}.", as_json, removed=name)


def _id(users: Users, name: str) -> str:
    from flowml.storage.errors import NotFound

    for user in users.users():
        if name.lower() in (user.name.lower(), user.id):
            return user.id
    raise NotFound(f"There is no user {name}.", "`flowml user list` shows them.")


def _password(stdin: bool) -> str:
    """Never an argument, which others could see in the list of processes."""
    if stdin:
        return sys.stdin.readline().rstrip("\n")
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return typed


def _shown(user: Known) -> object:
    """Without the hash that a record of the data folder holds."""
    from flowml.ui.api.bodies.people import UserAnswer

    return UserAnswer.of(user)
