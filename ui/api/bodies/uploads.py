"""Uploads in parts, and files of the server, as the API asks for them and tells them."""

from __future__ import annotations

from pydantic import Field

from flowml.ui.api.bodies.base import Answer, Asked
from flowml.ui.api.bodies.datasets import DatasetSummary

PART_BYTES = 8 << 20


class UploadAsked(Asked):
    name: str = Field(description="The file's name.", min_length=1, max_length=1000, examples=["churn.csv"])
    size: int = Field(description="Its bytes.", ge=0, examples=[1_000_000_000])


class UploadAnswer(Answer):
    id: str
    name: str
    size: int
    received: int = Field(description="Bytes that have come; the next part begins here.")
    expires_at: float = Field(description="When it is forgotten unless more comes. Seconds since 1970, UTC.")
    part_bytes: int = Field(PART_BYTES, description="Bytes that are well sent at once.")


class TablesAnswer(Answer):
    tables: list[str] = Field(description="Sheets, tables or members to choose from; empty if there is one.")


class FinishAsked(Asked):
    name: str = Field("", description="Name of the dataset; default: the file's.", max_length=1000)
    table: str = Field("", description="The sheet, table or member to read; default: the first.")
    sha256: str = Field("", description="Checksum of the whole file, to be compared.", max_length=64)


class RegisterAsked(Asked):
    path: str = Field(description="A file or folder of the server.", min_length=1, examples=["/data/a.csv"])
    name: str = Field("", description="Name of the dataset; default: the file's. Of one file only.")
    table: str = Field("", description="The sheet, table or member to read. Of one file only.")


class RegisteredAnswer(Answer):
    path: str
    dataset: DatasetSummary | None = None
    error: str = Field("", description="Why this file was not added.")
