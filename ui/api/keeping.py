"""What an administrator looks after: the settings in force, the room that files take, and garbage."""

from __future__ import annotations

from fastapi import APIRouter

from flowml.ui.api.bodies.keeping import CollectAsked, Collected, RoomAnswer, SettingAnswer
from flowml.ui.api.studio import TheClient
from flowml.ui.problems import told

router = APIRouter(tags=["keeping"])


@router.get("/settings")
def list_settings(client: TheClient) -> list[SettingAnswer]:
    """Every setting as the studio goes by it, and where it comes from. Secrets are hidden."""
    return [SettingAnswer.of_setting(found) for found in client.settings_in_force()]


@router.get("/storage", responses=told(503))
def get_storage(client: TheClient) -> RoomAnswer:
    """What the studio keeps, where, how much of it, and how much room is left."""
    return RoomAnswer.of_room(client.room())


@router.post("/storage/collect", responses=told(409, 503))
def collect_garbage(asked: CollectAsked, client: TheClient) -> Collected:
    """Count, or remove, the files that no dataset, job or model refers to any more."""
    return Collected.of(client.collect_garbage(asked.older, asked.dry_run))
