"""What a study that several lanes work on is doing."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    SEARCH = "search"
    PAUSE = "pause"  # lanes end what they have and take nothing
    OVER = "over"  # lanes leave at once
