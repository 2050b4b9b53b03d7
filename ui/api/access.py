"""What each route needs, one row each. A route that has no row is refused, and a test notices it."""

from __future__ import annotations

from fastapi import Request, WebSocket
from starlette.requests import HTTPConnection

from flowml.runner.rights import refused
from flowml.runner.studio import Studio
from flowml.storage.errors import NotAllowed
from flowml.storage.records import Person, Scope
from flowml.ui.door import PERSON, identify, nobody

ANYBODY = None  # answers without a login

ROUTES: dict[tuple[str, str], Scope | None] = {
    # datasets
    ("GET", "/datasets"): Scope.READ,
    ("POST", "/datasets/upload"): Scope.WRITE,
    ("PUT", "/datasets/{name}"): Scope.WRITE,
    ("GET", "/datasets/{dataset_id}"): Scope.READ,
    ("DELETE", "/datasets/{dataset_id}"): Scope.WRITE,
    ("GET", "/datasets/{dataset_id}/preview"): Scope.READ,
    ("GET", "/datasets/{dataset_id}/stats"): Scope.READ,
    ("GET", "/datasets/{dataset_id}/profile"): Scope.READ,
    ("GET", "/datasets/{dataset_id}/check"): Scope.READ,
    ("GET", "/datasets/{dataset_id}/associations"): Scope.READ,
    ("GET", "/datasets/{dataset_id}/difference"): Scope.READ,
    ("PUT", "/datasets/{dataset_id}/roles"): Scope.WRITE,
    ("POST", "/datasets/{dataset_id}/query"): Scope.READ,
    ("POST", "/datasets/{dataset_id}/derive"): Scope.WRITE,
    ("POST", "/datasets/register"): Scope.WRITE,
    ("POST", "/uploads"): Scope.WRITE,
    ("GET", "/uploads/{upload_id}"): Scope.WRITE,
    ("PUT", "/uploads/{upload_id}"): Scope.WRITE,
    ("DELETE", "/uploads/{upload_id}"): Scope.WRITE,
    ("GET", "/uploads/{upload_id}/tables"): Scope.WRITE,
    ("POST", "/uploads/{upload_id}/finish"): Scope.WRITE,
    # training
    ("POST", "/training/start"): Scope.WRITE,
    ("GET", "/training"): Scope.READ,
    ("GET", "/training/{job_id}"): Scope.READ,
    ("POST", "/training/{job_id}/cancel"): Scope.WRITE,
    ("POST", "/training/{job_id}/stop"): Scope.WRITE,
    ("DELETE", "/training/{job_id}"): Scope.WRITE,
    ("GET", "/training/{job_id}/events"): Scope.READ,
    # results
    ("GET", "/results/job/{job_id}/leaderboard"): Scope.READ,
    ("GET", "/results/job/{job_id}/models"): Scope.READ,
    ("GET", "/results/model/{model_id}"): Scope.READ,
    ("POST", "/results/model/{model_id}/predict"): Scope.PREDICT,
    ("GET", "/results/model/{model_id}/download"): Scope.READ,
    # people
    ("GET", "/me"): Scope.READ,
    ("PUT", "/me/password"): Scope.READ,
    ("DELETE", "/me/sessions"): Scope.READ,
    ("GET", "/users"): Scope.ADMIN,
    ("POST", "/users"): Scope.ADMIN,
    ("GET", "/users/names"): Scope.READ,
    ("PATCH", "/users/{user_id}"): Scope.ADMIN,
    ("PUT", "/users/{user_id}/password"): Scope.ADMIN,
    ("DELETE", "/users/{user_id}"): Scope.ADMIN,
    ("DELETE", "/users/{user_id}/sessions"): Scope.ADMIN,
    ("GET", "/tokens"): Scope.READ,
    ("POST", "/tokens"): Scope.READ,
    ("DELETE", "/tokens/{token_id}"): Scope.READ,
    ("GET", "/projects"): Scope.READ,
    ("POST", "/projects"): Scope.WRITE,
    ("PATCH", "/projects/{project_id}"): Scope.WRITE,
    ("DELETE", "/projects/{project_id}"): Scope.WRITE,
    ("PUT", "/projects/{project_id}/members/{user_id}"): Scope.WRITE,
    ("DELETE", "/projects/{project_id}/members/{user_id}"): Scope.WRITE,
    ("PUT", "/datasets/{dataset_id}/project"): Scope.WRITE,
    ("PUT", "/training/{job_id}/project"): Scope.WRITE,
    ("GET", "/audit"): Scope.ADMIN,
    # the whole
    ("GET", "/workers"): Scope.READ,
    ("GET", "/cluster"): Scope.READ,
    ("GET", "/stats"): Scope.READ,
    ("GET", "/logs"): Scope.READ,
    ("GET", "/health"): ANYBODY,
    # what tells of the API itself
    ("GET", "/"): Scope.READ,
    ("GET", "/docs"): Scope.READ,
    ("GET", "/docs/"): Scope.READ,
    ("GET", "/docs/docs.js"): Scope.READ,
}


async def authorise(connection: HTTPConnection) -> None:
    """Stands before every route: who asks, and may it?"""
    scope = connection.scope
    if PERSON not in scope:  # no door stands before this application
        scope[PERSON] = await identify(scope, connection.app.state.studio.entrance)
    place = (scope.get("method", "WS"), getattr(scope.get("route"), "path", ""))
    if place not in ROUTES:
        raise NotAllowed(f"Nobody may ask for {' '.join(place)} yet.", "It lacks its row in the table.")
    needed = ROUTES[place]
    if needed is not ANYBODY:
        person = person_of(connection)
        if not person.may(needed):
            raise refused(person, needed)


def person_of(connection: HTTPConnection) -> Person:
    """Who asks. Raises NotSignedIn where nobody does."""
    person: Person | None = connection.scope[PERSON]
    if person is None:
        raise nobody()
    return person


def seat_of(connection: Request | WebSocket) -> Studio:
    """The studio as who asks may see it."""
    studio: Studio = connection.app.state.studio
    return studio.as_person(person_of(connection))
