"""The time as the reader's browser tells it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from flowml.ui import words


def zone() -> tzinfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def ago(at: float | None) -> str:
    return words.ago(at, time.time())


def moment(at: float | None) -> str:
    return words.moment(at, zone())


def stamp(at: float) -> str:
    """To the second, with the offset: for what leaves the screen."""
    return datetime.fromtimestamp(at, zone()).isoformat(sep=" ", timespec="seconds")
