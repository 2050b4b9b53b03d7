"""How a route gets at the studio, as who asks may see it. Coroutines: for others FastAPI takes threads."""

from __future__ import annotations

from threading import Event
from typing import Annotated

from fastapi import Depends, Request

from flowml.runner.client import Client
from flowml.runner.people import People
from flowml.runner.studio import Studio
from flowml.ui.api.access import seat_of


async def studio_of(request: Request) -> Studio:
    return seat_of(request)


async def client_of(request: Request) -> Client:
    return seat_of(request).client


async def people_of(request: Request) -> People:
    return seat_of(request).people


async def stopping_of(request: Request) -> Event:
    stopping: Event = request.app.state.stopping
    return stopping


TheStudio = Annotated[Studio, Depends(studio_of)]
TheClient = Annotated[Client, Depends(client_of)]
ThePeople = Annotated[People, Depends(people_of)]
Stopping = Annotated[Event, Depends(stopping_of)]
