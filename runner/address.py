"""Where a studio answers, and with which token: as the settings say, else that of this data folder."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

from flowml.runner import trust
from flowml.runner.notes import read_note
from flowml.runner.settings import Settings, read_settings

LOCAL = "http://127.0.0.1:8501"


class Address(NamedTuple):
    url: str
    token: str | None
    trusted: ssl.SSLContext | bool = True  # by whose certificates it is believed


def find(url: str = "", settings: Settings | None = None) -> Address:
    """The studio at `url`, or the one that is meant without it."""
    settings = settings or read_settings()
    wanted = (url or settings.studio_url).rstrip("/")
    note = read_note(settings.home)
    if note is not None and wanted in ("", note.address):
        own = Path(note.certificate) if note.certificate else None
        trusted = trust.of_this_machine(own) if own else trust.of_authorities(settings.tls_ca)
        return Address(note.address, settings.token or note.key, trusted)
    return Address(wanted or LOCAL, settings.token or None, trust.of_authorities(settings.tls_ca))
