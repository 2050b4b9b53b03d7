"""Registered models, as the API takes and tells them."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from flowml.storage.records import RegisteredModel
from flowml.ui.api.bodies.base import Answer, Asked

ANYWAY = "Move the alias also where the model has another task, other classes or further columns."


class RegisterAsked(Asked):
    model_id: str = Field(examples=["model-01j9"])
    note: str = Field("", max_length=2000, description="For people: why this one.")
    alias: str = Field("", description="Points at it from now on, as `production`.")
    anyway: bool = Field(False, description=ANYWAY)


class AliasAsked(Asked):
    version: int = Field(ge=1, le=2**31 - 1, examples=[3])
    anyway: bool = Field(False, description=ANYWAY)


class RegisteredAnswer(Answer):
    name: str = Field(examples=["churn"])
    version: int = Field(examples=[3])
    model_id: str = Field(description="Ask it also as `churn@production` or `churn:3`.")
    job_id: str
    project: str = ""
    created_at: float = Field(description="Seconds since 1970, UTC.")
    owner: str = Field("", description="Who registered it.")
    note: str = ""
    aliases: list[str] = Field(default=[], examples=[["production"]])


class RegisteredName(Answer):
    name: str = Field(examples=["churn"])
    project: str = ""
    latest: RegisteredAnswer = Field(description="Its newest version.")
    versions: int = Field(description="How many there are.")
    aliases: dict[str, int] = Field(description="Version by alias.", examples=[{"production": 3}])

    @classmethod
    def of_versions(cls, versions: Iterable[RegisteredModel]) -> list[RegisteredName]:
        """One for each name, from its versions, newest first."""
        by_name: dict[tuple[str, str], list[RegisteredModel]] = {}
        for each in versions:
            by_name.setdefault((each.name, each.project), []).append(each)
        return [
            cls(
                name=name,
                project=project,
                latest=RegisteredAnswer.of(those[0]),
                versions=len(those),
                aliases={alias: each.version for each in those for alias in each.aliases},
            )
            for (name, project), those in by_name.items()
        ]
