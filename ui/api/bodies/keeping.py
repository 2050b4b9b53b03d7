"""Settings in force and the room that files take, as the API tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from flowml.ui.api.bodies.base import Answer, Asked

if TYPE_CHECKING:
    from flowml.runner.keeping import Room
    from flowml.runner.settings import Effective


class SettingAnswer(Answer):
    """One setting as the studio goes by it."""

    name: str = Field(examples=["FLOWML_PORT"])
    value: str = Field(description="As text, as it would be set; *** for a secret that is set.")
    origin: str = Field(description="environment, a file, command line or default.", examples=["default"])
    help: str = Field(description="What it is for.")
    expected: str = Field(description="What values it takes.", examples=["a whole number, at least 0"])
    secret: bool = False

    @classmethod
    def of_setting(cls, found: Effective) -> SettingAnswer:
        row = found.setting
        return cls(
            name=row.name,
            value=found.shown,
            origin=found.origin,
            help=row.help,
            expected=row.expected,
            secret=row.secret,
        )


class ShelfAnswer(Answer):
    """One part of what the studio keeps."""

    name: str = Field(examples=["Tables and models"])
    place: str = Field(description="A folder, a file, or the address of an object store.")
    files: int
    size: int = Field(description="Bytes.")


class RoomAnswer(Answer):
    """What the studio keeps, where, and how much of it."""

    shelves: list[ShelfAnswer]
    used: int = Field(description="Bytes of all shelves.")
    free: int = Field(description="Bytes on the disk of the data folder.")
    total: int = Field(description="Bytes of that disk.")

    @classmethod
    def of_room(cls, room: Room) -> RoomAnswer:
        return cls.of(room)


class CollectAsked(Asked):
    older: float = Field(7 * 86_400.0, ge=0, le=1e9, description="Only what is older, in seconds.")
    dry_run: bool = Field(True, description="Only count; say false to remove.")


class Collected(Answer):
    """Files that no dataset, job or model refers to."""

    removed: int = Field(description="Removed, or with `dry_run` those that would be.")
    freed: int = Field(description="Bytes of these.")
    kept: int = Field(description="Files that stay.")
