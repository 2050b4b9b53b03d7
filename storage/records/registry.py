"""Models under a name that stays, in versions, some of which bear an alias such as production."""

from __future__ import annotations

from dataclasses import dataclass

from flowml.storage.records.record import Record


@dataclass(frozen=True)
class RegisteredModel(Record):
    """One version of a name in the registry."""

    name: str
    version: int
    model_id: str
    job_id: str
    project: str
    created_at: float
    owner: str = ""  # name of the user who registered it
    note: str = ""
    aliases: tuple[str, ...] = ()
