"""Datasets, as the API tells them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from flowml.storage.records import Dataset, Finding, Role
from flowml.ui.api.bodies.base import Answer


class DatasetSummary(Answer):
    id: str = Field(examples=["ds-01j9"])
    name: str = Field(
        description="Its name; each upload under the same name is a new version.", examples=["churn"]
    )
    version: int = Field(examples=[1])
    rows: int = Field(examples=[7043])
    columns: int = Field(description="How many columns it has.", examples=[20])
    size: int = Field(description="Bytes of the stored table.", examples=[182044])
    source: str = Field(description="The file it came from.", examples=["churn.csv"])
    format: str = Field(description="The format that file had.", examples=["csv"])
    created_at: float = Field(description="Seconds since 1970, UTC.", examples=[1790000000.0])
    project: str = Field("", description="Whose users see it; empty: all.")
    owner: str = Field("", description="Name of the user who brought it.")

    @classmethod
    def of_dataset(cls, dataset: Dataset) -> DatasetSummary:
        return cls(**(dataset.to_dict() | {"columns": len(dataset.schema.columns)}))


class ColumnAnswer(Answer):
    """One column: what it holds and what it is for."""

    name: str = Field(examples=["monthly_charges"])
    type: str = Field(description="number, integer, boolean, string, datetime, …", examples=["number"])
    role: Role = Field(description="What it would be used for; a training may say otherwise.")
    reason: str = Field("", description="Why this role was guessed.")


class SchemaAnswer(Answer):
    rows: int
    columns: list[ColumnAnswer]


class DatasetAnswer(Answer):
    id: str = Field(examples=["ds-01j9"])
    name: str = Field(examples=["churn"])
    version: int = Field(examples=[1])
    sha256: str = Field(description="Hash of the stored Parquet file.")
    rows: int = Field(examples=[7043])
    size: int = Field(description="Bytes of the stored table.", examples=[182044])
    source: str = Field(examples=["churn.csv"])
    format: str = Field(examples=["csv"])
    created_at: float = Field(description="Seconds since 1970, UTC.")
    deleted: bool = Field(False, description="Deleted: its jobs stay, new ones are refused.")
    project: str = Field("", description="Whose users see it; empty: all.")
    owner: str = Field("", description="Name of the user who brought it.")
    table: SchemaAnswer = Field(alias="schema", description="Its columns.")
    source_table: str = Field("", description="The sheet, table or member of its file that was read.")
    findings: list[Finding] = Field(default=[], description="What was noticed and mended when it was read.")
    roles: dict[str, Role] = Field(default={}, description="What users said that columns are for.")
    parent: str = Field("", description="The dataset that this one was made from.")
    query: str = Field("", description="The SQL that made it from its parent.")


class PreviewAnswer(Answer):
    columns: list[str] = Field(examples=[["tenure", "churn"]])
    rows: list[list[Any]] = Field(
        description="The first rows, in the order of the columns.", examples=[[[1, "No"]]]
    )


class ColumnStats(Answer):
    """Statistics of one column. What does not apply to its type is null or empty."""

    column: str = Field(examples=["monthly_charges"])
    type: str = Field(examples=["number"])
    role: Role
    missing: int = Field(description="Rows without a value.", examples=[0])
    unique: int = Field(description="Different values.", examples=[1585])
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    median: float | None = None
    std: float | None = None
    top: list[str] = Field(default=[], description="The most frequent values, as text.")
    top_counts: list[int] = Field(default=[], description="How often each of them occurs.")
    histogram: list[int] = Field(default=[], description="Counts of equal bins from minimum to maximum.")
    mean_length: float | None = Field(None, description="Of texts, in characters.")
