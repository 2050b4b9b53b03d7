"""What a trial leaves behind in its folder: a record, out-of-fold predictions, the models of the folds."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flowml.automl.fitted import Fitted
from flowml.automl.metrics import Array
from flowml.storage.errors import StorageError
from flowml.storage.records import Json, TrialRecord

RECORD, OOF, MODELS = "record.json", "oof.npy", "models.json"
WHOLE, WHOLE_SEEN = "whole.json", "whole.npy"


@dataclass(frozen=True)
class Outcome:
    """Complete if it has out-of-fold predictions: one row or value per entry of `Folds.rows`."""

    record: TrialRecord
    oof: Array | None
    fitted: tuple[Fitted, ...]  # one per fold

    def save(self, folder: Path) -> None:
        """Appears whole or not at all."""
        draft = folder.with_name(f".{folder.name}.{os.getpid()}")
        draft.mkdir(parents=True)
        models = []
        for index, one in enumerate(self.fitted):
            name = f"fold-{index}.{one.format}"
            (draft / name).write_bytes(one.content)
            models.append(_described(name, one))
        (draft / MODELS).write_text(json.dumps(models))
        if self.oof is not None:
            np.save(draft / OOF, self.oof, allow_pickle=False)
        (draft / RECORD).write_text(json.dumps(self.record.to_dict()))
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)

    @classmethod
    def load(cls, folder: Path) -> Outcome:
        try:
            record = TrialRecord.from_dict(json.loads((folder / RECORD).read_text()))
        except (OSError, ValueError) as error:
            raise _unreadable(folder, error) from error
        return cls(record, load_oof(folder), load_fitted(folder))


def trial_folder(work: Path, number: int) -> Path:
    return work / "trials" / str(number)


def load_oof(folder: Path) -> Array | None:
    path = folder / OOF
    if not path.exists():
        return None
    oof: Array = np.load(path, allow_pickle=False)
    return oof


def save_whole(folder: Path, fitted: Fitted, predictions: Array) -> None:
    """A model that learned all rows, beside those of the folds; what it predicts for the rows they check."""
    name = f"whole.{fitted.format}"
    (folder / name).write_bytes(fitted.content)
    np.save(folder / WHOLE_SEEN, predictions, allow_pickle=False)
    draft = folder / f".{WHOLE}.{os.getpid()}"
    draft.write_text(json.dumps([_described(name, fitted)]))
    draft.rename(folder / WHOLE)


def has_whole(folder: Path) -> bool:
    return (folder / WHOLE).exists()


def load_whole_seen(folder: Path) -> Array:
    seen: Array = np.load(folder / WHOLE_SEEN, allow_pickle=False)
    return seen


def load_fitted(folder: Path) -> tuple[Fitted, ...]:
    """The models of the folds, then that of all rows if there is one."""
    try:
        models = json.loads((folder / MODELS).read_text())
        if has_whole(folder):
            models += json.loads((folder / WHOLE).read_text())
        return tuple(
            Fitted(row["format"], row["link"], (folder / row["file"]).read_bytes(), row["n_outputs"])
            for row in models
        )
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(folder, error) from error


def _described(name: str, fitted: Fitted) -> Json:
    return {"file": name, "format": fitted.format, "link": fitted.link, "n_outputs": fitted.n_outputs}


def _unreadable(folder: Path, error: Exception) -> StorageError:
    return StorageError(f"Trial {folder.name} cannot be read: {error}.", "Run it again.")
