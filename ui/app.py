"""The ASGI application of the studio: pages, REST API and our own assets, behind the guard."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from threading import Event
from typing import Any

import streamlit as st
import streamlit.logger
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.bootstrap import load_config_options

from flowml.runner.studio import Studio
from flowml.ui import assets, login, session, shell
from flowml.ui.api.application import build_api
from flowml.ui.api.operate import plain_health
from flowml.ui.api.receive import sweep
from flowml.ui.bundle import Bundle
from flowml.ui.cors import Cors
from flowml.ui.door import Door
from flowml.ui.guard import Guard, Hosts, page_policy
from flowml.ui.navigation import PAGES

FOLDER = Path(__file__).resolve().parent
SCRIPT = FOLDER / "main.py"

FAULT = (
    "The fault is the studio's, and what it keeps is untouched. Reload the page, or open another one. "
    "Should it fail again, the page [Logs](/logs?level=error) tells why."
)

UNCAUGHT = "streamlit.error_util"  # where Streamlit logs the faults of pages

log = logging.getLogger(__name__)

OPTIONS: dict[str, Any] = {
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.enableAgentApi": False,
    "browser.gatherUsageStats": False,
    "runner.postScriptGC": False,  # a full collection after each tick of a live page costs 100 ms of CPU
    "client.toolbarMode": "minimal",
    "client.showErrorLinks": False,
    "client.showErrorDetails": "none",
    "logger.level": "warning",  # of uvicorn too
    "logger.enableRich": False,  # it writes faults past the log
    "theme.base": str(FOLDER / "theme.toml"),
}


def build_app(studio: Studio, address: str, port: int, stopping: Event, names: Iterable[str] = ()) -> st.App:
    """The application for a started studio. `stopping` tells endless answers to end.

    A process holds one such application at most: Streamlit's runtime allows no second.
    """
    configure(address, port)

    @contextlib.asynccontextmanager
    async def bound(_: st.App) -> AsyncIterator[None]:
        sweep(studio.settings.uploads)
        session.bind(studio)
        try:
            yield
        finally:
            session.bind(None)

    hosts = Hosts.of(address, (*names, *studio.settings.hosts))
    origins = frozenset(studio.settings.cors_origins)
    guard = Middleware(Guard, hosts=hosts, policy=page_policy(shell.shell()), origins=origins)
    door = Middleware(Door, entrance=studio.entrance)
    return st.App(
        SCRIPT,
        lifespan=bound,
        routes=routes(studio, stopping),
        middleware=[
            guard,
            *([Middleware(Cors, origins=origins)] if origins else []),
            door,
            Middleware(Bundle),
        ],
        on_script_error=note_fault,
    )


def note_fault(error: Exception) -> bool:
    """A page has a fault of its own: readers see that it failed, the log of the studio tells why.

    True: Streamlit shows nothing of its own.
    """
    log.error("A page failed", exc_info=error)
    st.error(FAULT, title="This page failed", icon=":material/error:")
    return True


def configure(address: str, port: int) -> None:
    """Set Streamlit's options; they win over a user's config.toml."""
    public = "localhost" if address in ("0.0.0.0", "::") else address
    own = {"server.address": address, "server.port": port}
    # Without a name Streamlit asks an outside service for this machine's address.
    named = {"browser.serverAddress": public, "browser.serverPort": port}
    load_config_options(OPTIONS | own | named)
    # Else the folder pages/ beside the script makes Streamlit run a page without the script around it, when
    # the first request after the start is for that page.
    PagesManager.uses_pages_directory = False
    streamlit.logger.setup_formatter = speak_through_us
    logging.getLogger(UNCAUGHT).addFilter(once)


def once(record: logging.LogRecord) -> bool:
    """Not what Streamlit logs of a page's fault: `note_fault` logs it in our words."""
    return record.msg != "Uncaught app execution"


def speak_through_us(logger: logging.Logger) -> None:
    """In the place of Streamlit's own output: what it logs is written as all else is."""
    logger.propagate = True


def routes(studio: Studio, stopping: Event) -> list[BaseRoute]:
    return [
        Route("/api", to_docs),  # without the slash Streamlit would answer with its page
        Mount("/api", app=build_api(studio, stopping)),
        Route("/health", plain_health(studio)),
        *login.routes(studio),
        *assets.routes(),
        *shell.routes(page.path for page in PAGES),
        *(Route(f"/{page.key}", to_start) for page in PAGES if page.default),
    ]


async def to_start(_: Request) -> RedirectResponse:
    """The first page by its name, as the others have one."""
    return RedirectResponse("/")


async def to_docs(_: Request) -> RedirectResponse:
    return RedirectResponse("/api/docs")
