"""The two kinds of bodies: what is asked, read strictly, and what is answered, made from our records."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Asked(BaseModel):
    """A request's body: names that we do not know are refused, for they are mostly slips."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True, protected_namespaces=())

    @classmethod
    def of(cls, record: Any) -> Self:
        return cls.model_validate(record)
