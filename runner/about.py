"""What a studio says of itself to the workers on its Redis: its version and pins, and where it has its files.

A worker whose versions differ is refused before it takes a job: it would fit other models, or not understand.
"""

from __future__ import annotations

import importlib.metadata
import json
import uuid
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from redis import Redis
from redis.exceptions import ResponseError

from flowml.runner.settings import Settings
from flowml.storage.errors import Conflict
from flowml.storage.records import Record, read_record
from flowml.storage.version import VERSION

KEY = "flowml:about"
FOLDER_ID = "folder.id"

# Libraries whose version decides what a model is, or how files and messages look.
PINS = (
    "catboost",
    "lightgbm",
    "numpy",
    "onnx",
    "onnxruntime",
    "optuna",
    "polars",
    "rq",
    "scikit-learn",
    "xgboost",
)


@dataclass(frozen=True)
class About(Record):
    version: str
    pins: dict[str, str] = field(default_factory=dict)
    urls: tuple[str, ...] = ()  # of the studio, best first
    store: str = ""  # of its artifacts, by which a worker knows whether it reaches the same


@cache
def pins() -> dict[str, str]:
    """Installed versions, without importing; local parts such as +cu12 left out.

    They stay those that the process began with, whatever is installed beside it later.
    """
    found = {}
    for name in PINS:
        try:
            found[name] = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            found[name] = ""
    return found


def announce(redis: Redis, store: str, urls: tuple[str, ...] = ()) -> None:
    about = About(VERSION, pins(), urls, store)
    redis.set(KEY, json.dumps(about.to_dict()))


def read(redis: Redis) -> About | None:
    """None where no studio has announced itself."""
    try:
        return read_record(About, redis.get(KEY))
    except ResponseError:  # whatever somebody wrote there
        return None


def shake_hands(redis: Redis) -> About | None:
    """What the studio says, if this worker fits it. Raises Conflict with what to install."""
    about = read(redis)
    if about is None:
        return None
    if about.version != VERSION:
        raise Conflict(
            f"This worker is of FlowML {VERSION}, the studio of {about.version}.",
            f"Install the studio's version here: `pip install flowml-studio=={about.version}`.",
        )
    ours = pins()
    differing = {name: wanted for name, wanted in about.pins.items() if ours.get(name, "") != wanted}
    if differing:
        shown = ", ".join(
            f"{name} {ours.get(name) or 'missing'} here, {wanted} there" for name, wanted in differing.items()
        )
        fix = " ".join(f"{name}=={wanted}" for name, wanted in differing.items() if wanted)
        raise Conflict(
            f"Libraries of this worker differ from the studio's: {shown}.",
            f"Install the same here: `pip install {fix}`, or both from the same requirements.lock.",
        )
    return about


def store_of(settings: Settings) -> str:
    """What tells one store of artifacts from another: its address, or the id of a folder."""
    return settings.data_url or folder_id(settings.artifacts)


def folder_id(artifacts: Path) -> str:
    """Kept in the folder, so that whoever reads the same id finds the same files; '' where there is none."""
    path = artifacts / FOLDER_ID
    if not path.is_file():
        return ""
    return path.read_text().strip()


def mark_folder(artifacts: Path) -> None:
    """The studio's: from now on it can be told from others."""
    path = artifacts / FOLDER_ID
    if not path.is_file():
        path.write_text(uuid.uuid4().hex)
