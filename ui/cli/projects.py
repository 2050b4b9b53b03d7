"""`flowml projects`: places for datasets, jobs and models that some users share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowml.storage.records import UserRole
from flowml.ui.cli import completing
from flowml.ui.cli.asking import Column, Json, StudioUrl, Yes, asking, done, show, sure

if TYPE_CHECKING:
    from flowml.ui.client import Studio

app = typer.Typer(help="Projects: what some users share.", no_args_is_help=True)

Ref = Annotated[
    str,
    typer.Argument(help="Name or id of a project.", metavar="PROJECT", autocompletion=completing.projects),
]
User = Annotated[str, typer.Argument(help="Name of a user.", metavar="USER", autocompletion=completing.users)]
Into = Annotated[
    str,
    typer.Option(
        help="Name or id of a project; empty: shared with all. Administrators may also name a user.",
        autocompletion=completing.projects,
    ),
]


@app.command("list")
def list_(studio: StudioUrl = "", as_json: Json = False) -> None:
    """List the projects that one owns or is a member of."""
    with asking(studio) as asked:
        show(asked.projects(), _columns(asked.user_names()), as_json, "No project yet.")


@app.command()
def add(name: str, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Add a project."""
    with asking(studio) as asked:
        made = asked.add_project(name)
        done(f"Added {made.name} ({made.id}).", as_json, id=made.id, name=made.name)


@app.command()
def rename(project: Ref, name: str, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Give a project another name."""
    with asking(studio) as asked:
        made = asked.change_project(_project(asked, project), name)
        done(f"It is {made.name} now.", as_json, id=made.id, name=made.name)


@app.command()
def give(project: Ref, user: User, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Give a project to another owner."""
    with asking(studio) as asked:
        made = asked.change_project(_project(asked, project), owner=_user(asked, user))
        done(f"{made.name} is {user}'s now.", as_json, id=made.id, owner=made.owner)


@app.command()
def share(
    project: Ref,
    user: User,
    role: Annotated[UserRole, typer.Option(help="viewer or editor.")] = UserRole.VIEWER,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Let a user look at, or work in, a project."""
    with asking(studio) as asked:
        made = asked.share_project(_project(asked, project), _user(asked, user), role)
        done(f"{user} is {role} in {made.name}.", as_json, id=made.id, user=user, role=role.value)


@app.command()
def unshare(project: Ref, user: User, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Let a user no more into a project."""
    with asking(studio) as asked:
        made = asked.share_project(_project(asked, project), _user(asked, user), None)
        done(f"{user} is no longer in {made.name}.", as_json, id=made.id, user=user)


@app.command()
def remove(project: Ref, yes: Yes = False, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Remove an empty project."""
    with asking(studio) as asked:
        id = _project(asked, project)
        sure(f"Remove the project {project}?", yes or as_json)
        asked.remove_project(id)
        done(f"Removed {project}.", as_json, removed=id)


def place_of(studio: Studio, word: str) -> str:
    """The id of a project, or of a user, whose private place it is; empty for what all share."""
    if not word:
        return ""
    users = _called(studio.user_names(), word)
    found = _called({each.id: each.name for each in studio.projects()}, word)
    return _one([*found, *(id for id in users if not found)], f"project {word}", "projects")


def lies(studio: Studio, project: str) -> str:
    """Says where something lies, by the name of the project or user."""
    if not project:
        return "It lies in the shared project."
    if owner := studio.user_names().get(project):
        return f"It lies in the private place of {owner}."
    names = {each.id: each.name for each in studio.projects()}
    return f"It lies in {names.get(project, project)}."


def _project(studio: Studio, word: str) -> str:
    found = _called({each.id: each.name for each in studio.projects()}, word)
    return _one(found, f"project {word}", "projects")


def _user(studio: Studio, word: str) -> str:
    return _one(_called(studio.user_names(), word), f"user {word}", "user")


def _called(names: Mapping[str, str], word: str) -> list[str]:
    """The ids of those that are meant: the one of this id, or all of this name, its case aside if need be."""
    if word in names:
        return [word]
    exact = [id for id, name in names.items() if name == word]
    return exact or [id for id, name in names.items() if name.lower() == word.lower()]


def _one(found: list[str], what: str, command: str) -> str:
    from flowml.storage.errors import Conflict, NotFound

    if not found:
        raise NotFound(f"There is no {what}.", f"`flowml {command} list` shows them.")
    if len(found) > 1:
        raise Conflict(f"There is more than one {what}: {', '.join(found)}.", "Name the one meant by its id.")
    return found[0]


def _columns(users: Mapping[str, str]) -> tuple[Column, ...]:
    def members(project: Any) -> str:
        return ", ".join(f"{users.get(id, id)} ({role})" for id, role in project.members.items())

    return (
        ("ID", lambda p: p.id),
        ("NAME", lambda p: p.name),
        ("OWNER", lambda p: users.get(p.owner, p.owner)),
        ("MEMBERS", members),
    )
