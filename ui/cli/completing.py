"""What a shell offers for ids and names: those that the studio knows. Where none answers, nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

import typer

from flowml.storage.errors import FlowMLError

if TYPE_CHECKING:
    from flowml.ui.client import Studio

PATIENCE_S = 3.0
MOST = 50

Offers: TypeAlias = list[tuple[str, str]]  # each with what it is
Find: TypeAlias = "Callable[[Studio], Iterable[tuple[str, str]]]"


def _known(find: Find) -> Callable[[typer.Context, str], Offers]:
    def offer(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
        from flowml.ui.client import Studio

        try:
            with Studio(ctx.params.get("studio") or "", timeout_s=PATIENCE_S) as studio:
                return [each for each in find(studio) if each[0].startswith(incomplete)]
        except FlowMLError:
            return []

    return offer


def _models(studio: Studio) -> Offers:
    names = [
        (f"{each.name}@{alias}", f"version {version}")
        for each in studio.registry()
        for alias, version in each.aliases.items()
    ]
    return names + [
        (each.id, f"{each.name}, {each.metric} {each.score:.4g}") for each in studio.all_models(MOST)
    ]


def _datasets(studio: Studio) -> Offers:
    known = studio.datasets()
    newest = {each.name: f"version {each.version}" for each in reversed(known)}
    return [*newest.items(), *((each.id, f"{each.name} v{each.version}") for each in known)]


jobs = _known(
    lambda studio: [
        (each.id, f"{each.dataset_name}, {each.target_column}: {each.status}") for each in studio.jobs(MOST)
    ]
)
datasets = _known(_datasets)
models = _known(_models)
projects = _known(lambda studio: [(each.name, each.id) for each in studio.projects()])
workers = _known(lambda studio: [(each.name, each.status) for each in studio.workers()])
users = _known(lambda studio: [(name, id) for id, name in studio.user_names().items()])
