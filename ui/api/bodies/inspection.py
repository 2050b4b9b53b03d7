"""Queries and roles of a dataset, as the API takes and tells them."""

from __future__ import annotations

from pydantic import Field

from flowml.storage.records import Role
from flowml.ui.api.bodies.base import Asked
from flowml.ui.api.bodies.datasets import PreviewAnswer

SQL = Field(
    min_length=1,
    max_length=20_000,
    description="One SELECT.",
    examples=["SELECT * FROM dataset WHERE age > 17"],
)


class RolesAsked(Asked):
    roles: dict[str, Role] = Field(description="By column.", examples=[{"customer": "group"}])


class Fix(Asked):
    """As the check tells it: what a click on a finding changes of its dataset."""

    roles: dict[str, Role] = Field(default={}, description="By column.")
    split: str = Field(
        "",
        pattern="^((group|time):.+)?$",
        description="group:COLUMN or time:COLUMN, which becomes that column's role.",
    )
    query: str = Field("", max_length=20_000, description="The SQL of a mended version.")
    metric: str = Field("", description="A choice of the job; changes nothing here.")


class FixAsked(Asked):
    fix: Fix


class QueryAsked(Asked):
    sql: str = SQL
    rows: int = Field(50, ge=1, le=1000, description="How many rows to show.")


class QueryAnswer(PreviewAnswer):
    total: int = Field(description="How many rows the query gives in all.")


class DeriveAsked(Asked):
    sql: str = SQL
    name: str = Field("", max_length=120, description="Of a new dataset; default: the next version.")
