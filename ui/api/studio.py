"""How a route gets at the studio. Coroutines, for FastAPI would run plain functions in threads."""

from __future__ import annotations

from threading import Event
from typing import Annotated

from fastapi import Depends, Request

from flowml.runner.client import Client
from flowml.runner.studio import Studio


async def studio_of(request: Request) -> Studio:
    studio: Studio = request.app.state.studio
    return studio


async def client_of(request: Request) -> Client:
    studio: Studio = request.app.state.studio
    return studio.client


async def stopping_of(request: Request) -> Event:
    stopping: Event = request.app.state.stopping
    return stopping


TheStudio = Annotated[Studio, Depends(studio_of)]
TheClient = Annotated[Client, Depends(client_of)]
Stopping = Annotated[Event, Depends(stopping_of)]
