"""The files that a training leaves in its folder, beside the model."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from flowml.runner.listener import LaneOutcome
from flowml.storage.errors import NotFound, StorageError
from flowml.storage.records import DatasetSchema, JobSpec, Json, Recipe, Source, StudyRecord
from flowml.storage.version import VERSION

MODEL, COMPACT, STUDY = "model.onnx", "model.compact.onnx", "study.json"


def write(outcome: LaneOutcome, champion: Path, out: Path) -> None:
    """The model, its card, leaderboard, receipt and explanation; files that are not ours are left alone."""
    assert outcome.champion is not None
    rows = [row.to_dict() for row in outcome.leaderboard]
    _place(out / MODEL, (champion / MODEL).read_bytes())
    if outcome.champion.get("compact"):
        _place(out / COMPACT, (champion / COMPACT).read_bytes())
    else:
        (out / COMPACT).unlink(missing_ok=True)  # of an earlier training
    _place(out / "card.md", (champion / "card.md").read_bytes())
    for name, paper in (
        ("leaderboard.json", rows),
        ("receipt.json", outcome.receipt.to_dict()),
        ("card.json", outcome.champion["card"]),
        ("explain.json", {part: outcome.champion[part] for part in ("importances", "diagnostics")}),
    ):
        _place(out / name, json.dumps(paper, indent=1).encode())


def card_text(card: Json) -> str:
    """A card as people read it."""
    from flowml.automl.card import to_markdown  # only where a card is written

    return to_markdown(card)


def write_study(
    outcome: LaneOutcome, spec: JobSpec, schema: DatasetSchema, source: Source, out: Path
) -> None:
    """What `flowml verify` needs to evaluate every row again."""
    from flowml.runner.probe import cpu_model  # which looks at more than a training needs

    recipe = (outcome.champion or {}).get("recipe")
    study = StudyRecord(
        spec=spec,
        schema=schema,
        source=source,
        trials=outcome.trials,
        champion=Recipe.from_dict(recipe) if recipe else None,
        made_with=VERSION,
        processor=cpu_model(),
    )
    _place(out / STUDY, json.dumps(study.to_dict()).encode())


def read_study(folder: Path) -> StudyRecord:
    try:
        return StudyRecord.from_dict(json.loads((folder / STUDY).read_text()))
    except FileNotFoundError as error:
        raise NotFound(
            f"{folder} has no {STUDY}.", "Give the folder that `flowml train --out` wrote."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{folder / STUDY} cannot be read: {error}.", "Train again.") from error


def source_of(file: Path) -> Source:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256")
    return Source(str(file.resolve()), file.stat().st_size, digest.hexdigest())


class Hashing:
    """Hashes a file while something else is waited for."""

    def __init__(self, file: Path) -> None:
        pool = ThreadPoolExecutor(1, thread_name_prefix="hash")
        self._found: Future[Source] = pool.submit(source_of, file)
        pool.shutdown(wait=False)

    def source(self) -> Source:
        return self._found.result()


def _place(path: Path, content: bytes) -> None:
    """The file appears whole."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
