"""A whole champion as a training leaves it, of the columns that hostile rows are meant for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.candidate import Candidate
from flowml.automl.champion import Champion
from flowml.automl.evaluate import Limits, evaluate
from flowml.automl.finish import finish
from flowml.automl.outcome import trial_folder
from flowml.automl.prepared import prepare_frame
from flowml.storage.records import JobSpec, Role, Task
from tests.automl.conftest import mixed_table
from tests.automl.onnx.champions import CLASSES, target_of
from tests.automl.tables import schema_of

FEW = {"rounds": 10, "trees": 5}
MODEL = "model.onnx"


def refitted(work: Path, task: Task, keys: tuple[str, ...], rows: int = 300) -> tuple[Champion, bytes]:
    """Trained on a part and checked on the rest; in the end its members have learned all rows."""
    frame = mixed_table(rows)
    y = target_of(frame, task)
    label = y if task is Task.REGRESSION else np.array(CLASSES[task])[y]
    frame = frame.with_columns(pl.Series("score", label))
    spec = JobSpec("score", task=task.value, split="holdout")
    table = prepare_frame(frame, schema_of(frame, note=Role.TEXT), spec)
    records = []
    for number, key in enumerate(keys):
        params = ALGORITHMS[key].defaults(table.shape)
        params |= {name: value for name, value in FEW.items() if name in params and key != "logistic"}
        outcome = evaluate(table, Candidate(number, key, params, seed=number), Limits(60))
        outcome.save(trial_folder(work, number))
        records.append(outcome.record)
    champion = finish(table, work, records)
    return champion, (work / "champion" / MODEL).read_bytes()
