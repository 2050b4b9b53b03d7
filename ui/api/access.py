"""What each route needs, one row each. A route that has no row is refused, and a test notices it."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request, WebSocket, WebSocketException
from starlette.requests import HTTPConnection

from flowml.runner.entrance import Entrance
from flowml.runner.rights import refused
from flowml.runner.studio import Studio
from flowml.storage.errors import FlowMLError, NotAllowed
from flowml.storage.records import Person, Scope
from flowml.ui.door import PERSON, identify, nobody, secret_of

ANYBODY = None  # answers without a login

ROUTES: dict[tuple[str, str], Scope | None] = {
    # datasets
    ("GET", "/datasets"): Scope.READ,
    ("POST", "/datasets/upload"): Scope.WRITE,
    ("PUT", "/datasets/{name}"): Scope.WRITE,
    ("GET", "/datasets/{dataset_id}"): Scope.READ,
    ("DELETE", "/datasets/{dataset_id}"): Scope.WRITE,
    ("GET", "/datasets/{dataset_id}/versions"): Scope.READ,
    ("GET", "/datasets/{dataset_id}/download"): Scope.READ,
    ("GET", "/datasets/{dataset_id}/preview"): Scope.READ,
    ("GET", "/datasets/{dataset_id}/stats"): Scope.READ,
    ("GET", "/datasets/{dataset_id}/profile"): Scope.READ,
    ("GET", "/datasets/{dataset_id}/check"): Scope.READ,
    ("GET", "/datasets/{dataset_id}/associations"): Scope.READ,
    ("GET", "/datasets/{dataset_id}/difference"): Scope.READ,
    ("PUT", "/datasets/{dataset_id}/roles"): Scope.WRITE,
    ("POST", "/datasets/{dataset_id}/query"): Scope.READ,
    ("POST", "/datasets/{dataset_id}/derive"): Scope.WRITE,
    ("POST", "/datasets/{dataset_id}/apply"): Scope.WRITE,
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
    ("POST", "/training/{job_id}/pause"): Scope.WRITE,
    ("POST", "/training/{job_id}/resume"): Scope.WRITE,
    ("POST", "/training/{job_id}/clone"): Scope.WRITE,
    ("GET", "/training/{job_id}/receipt"): Scope.READ,
    ("GET", "/training/{job_id}/trials"): Scope.READ,
    ("DELETE", "/training/{job_id}"): Scope.WRITE,
    ("GET", "/training/{job_id}/events"): Scope.READ,
    # results
    ("GET", "/models/{model_id}/report"): Scope.READ,
    ("GET", "/results/job/{job_id}/leaderboard"): Scope.READ,
    ("GET", "/results/job/{job_id}/models"): Scope.READ,
    ("POST", "/results/job/{job_id}/trials/{trial}/verify"): Scope.WRITE,
    ("GET", "/results/job/{job_id}/verifications"): Scope.READ,
    ("GET", "/results/job/{job_id}/trials/{trial}/script"): Scope.READ,
    ("GET", "/results/models"): Scope.READ,
    ("GET", "/results/model/{model_id}"): Scope.READ,
    ("GET", "/results/model/{model_id}/explanations"): Scope.READ,
    ("POST", "/results/model/{model_id}/contributions"): Scope.PREDICT,
    ("GET", "/results/model/{model_id}/dependence"): Scope.READ,
    ("POST", "/results/model/{model_id}/similar"): Scope.READ,
    ("GET", "/results/model/{model_id}/statements"): Scope.READ,
    ("POST", "/results/model/{model_id}/ask"): Scope.READ,
    ("POST", "/results/model/{model_id}/predict"): Scope.PREDICT,
    ("GET", "/results/model/{model_id}/download"): Scope.READ,
    # registry
    ("GET", "/registry"): Scope.READ,
    ("POST", "/registry/{name}"): Scope.WRITE,
    ("GET", "/registry/{name}"): Scope.READ,
    ("GET", "/registry/{name}/versions/{version}"): Scope.READ,
    ("DELETE", "/registry/{name}/versions/{version}"): Scope.WRITE,
    ("GET", "/registry/{name}/aliases/{alias}"): Scope.READ,
    ("PUT", "/registry/{name}/aliases/{alias}"): Scope.WRITE,
    ("DELETE", "/registry/{name}/aliases/{alias}"): Scope.WRITE,
    ("POST", "/results/model/{model_id}/batch"): Scope.PREDICT,
    ("POST", "/results/model/{model_id}/drift"): Scope.PREDICT,
    ("GET", "/results/batch"): Scope.PREDICT,
    ("GET", "/results/batch/{job_id}"): Scope.PREDICT,
    ("GET", "/results/batch/{job_id}/download"): Scope.PREDICT,
    # files of others
    ("GET", "/foreign"): Scope.READ,
    ("POST", "/foreign"): Scope.ADMIN,
    ("GET", "/foreign/{foreign_id}"): Scope.READ,
    ("DELETE", "/foreign/{foreign_id}"): Scope.ADMIN,
    ("POST", "/foreign/{foreign_id}/predict"): Scope.PREDICT,
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
    # workers, which show a pass
    ("GET", "/blobs/{sha256}"): ANYBODY,
    ("PUT", "/blobs/{sha256}"): ANYBODY,
    ("DELETE", "/blobs/{sha256}"): ANYBODY,
    # the whole
    ("GET", "/workers"): Scope.READ,
    ("POST", "/workers"): Scope.ADMIN,
    ("GET", "/workers/{name}"): Scope.READ,
    ("GET", "/workers/{name}/history"): Scope.READ,
    ("POST", "/workers/{name}/pause"): Scope.ADMIN,
    ("POST", "/workers/{name}/drain"): Scope.ADMIN,
    ("POST", "/workers/{name}/resume"): Scope.ADMIN,
    ("DELETE", "/workers/{name}"): Scope.ADMIN,
    ("GET", "/cluster"): Scope.READ,
    ("GET", "/cluster/join"): Scope.ADMIN,
    ("POST", "/cluster/join"): Scope.ADMIN,
    ("GET", "/stats"): Scope.READ,
    ("GET", "/logs"): Scope.READ,
    ("GET", "/logs/follow"): Scope.READ,
    ("GET", "/settings"): Scope.ADMIN,
    ("GET", "/storage"): Scope.ADMIN,
    ("POST", "/storage/collect"): Scope.ADMIN,
    ("GET", "/backup"): Scope.ADMIN,
    ("GET", "/metrics"): Scope.READ,
    ("GET", "/health"): ANYBODY,
    ("GET", "/ready"): ANYBODY,
    ("WS", "/ws"): Scope.READ,
    # what tells of the API itself
    ("GET", "/"): Scope.READ,
    ("GET", "/docs"): Scope.READ,
    ("GET", "/docs/"): Scope.READ,
    ("GET", "/docs/docs.js"): Scope.READ,
}


async def authorise(connection: HTTPConnection) -> None:
    """Stands before every route: who asks, and may it?"""
    try:
        await _authorise(connection)
    except FlowMLError as error:
        if connection.scope["type"] == "websocket":
            raise WebSocketException(1008, error.message[:120]) from error
        raise


async def _authorise(connection: HTTPConnection) -> None:
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
        if person.id:
            connection.app.state.limits.take(person.via if person.via.startswith("token-") else person.id)


def person_of(connection: HTTPConnection) -> Person:
    """Who asks. Raises NotSignedIn where nobody does."""
    person: Person | None = connection.scope[PERSON]
    if person is None:
        raise nobody()
    return person


def still_in(connection: HTTPConnection) -> Callable[[], bool]:
    """Asks, for answers that have no end of their own, whether who asks is still let in and sees as much."""
    look, then = person_now(connection), person_of(connection)
    return lambda: look(then) is not None


def person_now(connection: HTTPConnection) -> Callable[[Person], Person | None]:
    """Asks who it is by now that asked: None for one who is out, or sees less than at the last look."""
    entrance: Entrance = connection.app.state.studio.entrance
    secret, of = secret_of(connection.scope, entrance)

    def look(then: Person) -> Person | None:
        now = of(secret)
        if now is None:
            return None if entrance.needed else then
        return now if _sees_as_much(now, then) else None

    return look


def _sees_as_much(now: Person, then: Person) -> bool:
    return then.scopes <= now.scopes and (
        now.everywhere or (not then.everywhere and then.visible <= now.visible)
    )


def seat_of(connection: Request | WebSocket) -> Studio:
    """The studio as who asks may see it."""
    studio: Studio = connection.app.state.studio
    return studio.as_person(person_of(connection))
