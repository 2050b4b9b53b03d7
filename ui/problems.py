"""Errors as programs read them: RFC 9457 problem documents with our stable codes."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from flowml.storage.errors import FlowMLError, NotSignedIn, TooMany


class Fault(BaseModel):
    """One place in the request that does not fit."""

    where: str = Field(description="Where it stands.", examples=["body.time_budget"])
    message: str = Field(examples=["Input should be greater than 0"])


class Problem(BaseModel):
    """What went wrong, in words for people and in a code for programs."""

    type: str = Field(default="about:blank", description="Always about:blank: `code` tells the kind.")
    title: str = Field(description="The HTTP status in words.", examples=["Not Found"])
    status: int = Field(examples=[404])
    code: str = Field(description="Stable name of the kind of error.", examples=["not_found"])
    detail: str = Field(
        description="What was wrong and what was expected.", examples=["There is no job 'j1'."]
    )
    advice: str = Field(default="", description="What to do next; may be empty.")
    faults: list[Fault] = Field(default=[], description="For a request that does not fit: each place.")


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


def problem(error: FlowMLError, faults: list[Fault] | None = None) -> ProblemResponse:
    told = answer(error.status, error.code, error.message, error.advice, faults)
    if isinstance(error, NotSignedIn):
        told.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooMany):
        told.headers["Retry-After"] = str(max(1, math.ceil(error.wait_s)))
    return told


def answer(
    status: int, code: str, detail: str, advice: str = "", faults: list[Fault] | None = None
) -> ProblemResponse:
    document = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        advice=advice,
        faults=faults or [],
    )
    return ProblemResponse(document.model_dump(), status)


def fault() -> ProblemResponse:
    """For a fault of ours, whose trace stands in the log."""
    return answer(
        500, "internal", "The studio has a fault of its own here.", "Its log tells more; please report it."
    )


def told(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: the errors it may answer with, as problem documents."""
    media = {ProblemResponse.media_type: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": media} for status in statuses}
