"""The ASGI application of the studio: pages, REST API and our own assets, behind the guard."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from threading import Event

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route

from flowml.runner.studio import Studio
from flowml.ui import assets, session
from flowml.ui.api.application import build_api
from flowml.ui.api.operate import plain_health
from flowml.ui.guard import Guard, Hosts, page_policy, streamlit_html

SCRIPT = Path(__file__).resolve().parent / "main.py"


def build_app(studio: Studio, address: str, stopping: Event, names: Iterable[str] = ()) -> st.App:
    """The application for a started studio. `stopping` tells endless answers to end.

    A process holds one such application at most: Streamlit's runtime allows no second.
    """

    @contextlib.asynccontextmanager
    async def bound(_: st.App) -> AsyncIterator[None]:
        session.bind(studio)
        try:
            yield
        finally:
            session.bind(None)

    guard = Middleware(Guard, hosts=Hosts.of(address, names), policy=page_policy(streamlit_html()))
    return st.App(SCRIPT, lifespan=bound, routes=routes(studio, stopping), middleware=[guard])


def routes(studio: Studio, stopping: Event) -> list[BaseRoute]:
    return [
        Route("/api", to_docs),  # without the slash Streamlit would answer with its page
        Mount("/api", app=build_api(studio, stopping)),
        Route("/health", plain_health(studio)),
        *assets.routes(),
    ]


async def to_docs(_: Request) -> RedirectResponse:
    return RedirectResponse("/api/docs")
