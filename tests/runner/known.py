"""A studio that knows a model, and what a stand-in for Ollama says of it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage import jobs, models
from tests.automl.explained import explained


def pieces(text: str, size: int = 5) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def copies(messages: list[dict[str, str]]) -> list[str]:
    """Says the first statements as they stand, one with a wrong number between them."""
    told = re.findall(r"^\[(S\d+)\] (.*)\.$", messages[0]["content"], re.MULTILINE)[:3]
    said = [f"{text} [{id}]." for id, text in told]
    return pieces(" ".join([said[0], "It is 99.99 % sure [S1].", *said[1:]]))


def studio_with(home: Path, **settings: object) -> Studio:
    """A studio that knows a model, which no job of its own has made."""
    studio = Studio(Settings(home=home, workers=0, **settings))  # type: ignore[arg-type]
    studio.start()
    model, job, rows = explained()
    with studio.client._db.write() as cursor:
        jobs.insert(cursor, replace(job, champion=model.id))
        models.insert(cursor, model)
        models.put_leaderboard(cursor, job.id, rows)
    return studio
