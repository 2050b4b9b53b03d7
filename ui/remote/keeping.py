"""What an administrator of a studio looks after: its settings, and the room that its files take."""

from __future__ import annotations

from flowml.ui.api.bodies.keeping import Collected, RoomAnswer, SettingAnswer
from flowml.ui.remote.wire import Wire

WEEK_S = 7 * 86_400.0


class KeepingPart(Wire):
    def settings(self) -> list[SettingAnswer]:
        """Every setting as the studio goes by it, and where it comes from; secrets are hidden."""
        return self._one(list[SettingAnswer], "GET", "settings")

    def storage(self) -> RoomAnswer:
        """What the studio keeps, where, how much of it, and how much room is left; sizes in bytes."""
        return self._one(RoomAnswer, "GET", "storage")

    def collect_garbage(self, older_s: float = WEEK_S, dry_run: bool = True) -> Collected:
        """Count, or with `dry_run=False` remove, the files that nothing refers to and that are older.

        Raises Conflict while jobs are under way.
        """
        asked = {"older": older_s, "dry_run": dry_run}
        return self._one(Collected, "POST", "storage/collect", json=asked)
