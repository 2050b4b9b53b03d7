"""What the first visit after a start would else wait for, done in the background before it comes."""

from __future__ import annotations

import importlib
import logging
import pkgutil
from threading import Thread

from flowml.ui import assets, bundle, charts, components

log = logging.getLogger(__name__)

# Streamlit imports it when it first looks whether the data of a chart is a frame: 300 ms of CPU.
LATER = ("pandas",)


def begin() -> Thread:
    """Make ready in a thread of its own, which holds up neither an answer nor the end of the studio."""
    thread = Thread(target=make_ready, name="ahead", daemon=True)
    thread.start()
    return thread


def make_ready() -> None:
    """Import what pages import, and pack what browsers load. What fails is left to the page that needs it."""
    try:
        for path in bundle.first():
            bundle.packed(path)
        assets.packed_plotly()
        for name in (*LATER, *modules()):
            importlib.import_module(name)
    except Exception:
        log.warning("Not all could be made ready ahead; the pages make it ready themselves", exc_info=True)


def modules() -> list[str]:
    """The pieces of the pages, and their charts."""
    return [
        found.name
        for package in (charts, components)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
