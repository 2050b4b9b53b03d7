"""From a blend of trials to one proven ONNX model, and how fast it answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.blend import Blend
from flowml.automl.contract import Feeds, rows_of, take
from flowml.automl.contributions import BACKGROUND, background
from flowml.automl.leaderboard import Speed
from flowml.automl.metrics import Array
from flowml.automl.onnx import Member, Witness, build, parity
from flowml.automl.outcome import has_whole, load_fitted, load_oof, load_whole_seen, trial_folder
from flowml.automl.prepared import Prepared
from flowml.automl.serve import Predictor
from flowml.automl.session import open_session
from flowml.automl.sizes import few
from flowml.automl.splitters import Folds
from flowml.storage.records import Json, Task, TrialRecord
from flowml.storage.version import VERSION

LATENCY_ROWS = 40  # single rows that are asked for one after another
LATENCY_S = 0.3
BATCHES, BATCH_S = (500, 5_000), 0.2


@dataclass(frozen=True)
class Exported:
    content: bytes
    parity: Json
    speed: Speed
    folds: int  # models of each member
    whole: frozenset[int]  # numbers of trials whose model learned all rows


def export(
    prepared: Prepared, work: Path, blend: Blend, folds: Sequence[int] = (), cores: int = 1
) -> Exported:
    """Write the models of folds, of all that are kept if none are named, as one ONNX model.

    With several cores the libraries predict what it is compared with while it is written. Raises ExportError,
    and ParityError at the gate.
    """
    folds = folds or prepared.folds.kept
    members, about = members_of(prepared, work, blend, folds), _about(prepared, blend)
    regression = prepared.problem.task is Task.REGRESSION
    spread = float(np.std(prepared.problem.y)) if regression else None
    with ThreadPoolExecutor(1 + cores, "predictions of libraries") as beside:
        counting = beside.submit(
            parity.wanted,
            prepared.contract,
            members,
            prepared.feeds,
            steps=blend.steps,
            spread=spread,
            seed=prepared.problem.seed,
            stack=blend.stack,
            across=map if cores == 1 else beside.map,
        )
        if cores == 1:
            counting.result()
        content = build(
            prepared.contract,
            members,
            about,
            steps=blend.steps,
            threshold=blend.threshold,
            stack=blend.stack,
        )
        session = open_session(content)
        found = counting.result()
    report = parity.compare(session, found, prepared.contract, threshold=blend.threshold, spread=spread)
    whole = frozenset(
        record.number
        for record in blend.members
        if prepared.folds.whole in _serving(prepared.folds, trial_folder(work, record.number), folds)
    )
    speed = speed_of(session, len(content), prepared.feeds)
    return Exported(content, report, speed, len(folds), whole)


def _about(prepared: Prepared, blend: Blend) -> Json:
    """What the file says of itself."""
    versions = {name: version for member in blend.members for name, version in member.versions.items()}
    versions["flowml"] = VERSION
    about = {"score": blend.score, "versions": versions, "data": prepared.data, **prepared.about}
    about[BACKGROUND] = background(prepared.contract, prepared.feeds)
    return about


def members_of(prepared: Prepared, work: Path, blend: Blend, folds: Sequence[int]) -> list[Member]:
    """The fold models of a blend, with their shares.

    Where few of them are wanted, that of all rows stands in their place, for trials that have one.
    """
    members = []
    for place, (record, weight) in enumerate(zip(blend.members, blend.weights, strict=True)):
        algorithm = ALGORITHMS[record.algorithm]
        key = algorithm.encoding_for(record.params)
        folder = trial_folder(work, record.number)
        fitted, serving = load_fitted(folder), _serving(prepared.folds, folder, folds)
        members += [
            Member(
                prepared.encoding(key, fold),
                fitted[fold],
                weight / len(serving),
                record.temperature,
                place,
                _witness(prepared.folds, fold, folder),
            )
            for fold in serving
        ]
    return members


def _serving(folds: Folds, folder: Path, wanted: Sequence[int]) -> Sequence[int]:
    return (folds.whole,) if few(len(wanted), len(folds.kept)) and has_whole(folder) else wanted


def _witness(folds: Folds, fold: int, folder: Path) -> Witness | None:
    """Out-of-fold predictions of a trial that are this fold's alone: rows may be checked repeatedly."""
    if fold == folds.whole:
        return Witness(folds.rows, _columns(load_whole_seen(folder)))
    oof = load_oof(folder)
    if oof is None:
        return None
    checked = np.bincount(np.concatenate([valid for _, valid in folds.pairs]))
    rows = folds.pairs[fold][1]
    rows = rows[checked[rows] == 1]
    found = oof[np.searchsorted(folds.rows, rows)]
    return Witness(rows, _columns(found))


def _columns(predictions: Array) -> Array:
    return predictions if predictions.ndim == 2 else predictions[:, None]


def speed_of_trial(prepared: Prepared, work: Path, record: TrialRecord) -> Speed:
    """Of a trial that is not the champion: exported for this alone."""
    blend = Blend((record,), (1.0,), np.zeros(0), record.score or 0.0, record.fold_scores)
    members = members_of(prepared, work, blend, prepared.folds.kept)
    content = build(prepared.contract, members)
    return speed_of(open_session(content), len(content), prepared.feeds)


def speed_of(session: Any, size_bytes: int, feeds: Feeds) -> Speed:
    """Milliseconds of one row at a time (the median), and rows a second of a batch."""
    predictor = Predictor(session)
    count = rows_of(feeds)
    rows = np.linspace(0, count - 1, LATENCY_ROWS).astype(np.int64)
    predictor.predict_feeds(take(feeds, rows[:1]))
    end, times = time.monotonic() + LATENCY_S, []
    for row in rows:
        one = take(feeds, slice(row, row + 1))
        began = time.perf_counter()
        predictor.predict_feeds(one)
        times.append(time.perf_counter() - began)
        if time.monotonic() > end:
            break
    latency_s = float(np.median(times))
    return Speed(latency_s * 1000, _rows_per_second(predictor, feeds, latency_s), size_bytes)


def _rows_per_second(predictor: Predictor, feeds: Feeds, latency_s: float) -> float:
    """Of a batch; what is slow is asked for a few rows only."""
    for wanted in BATCHES:
        batch = take(feeds, slice(0, max(1, min(wanted, int(BATCH_S / latency_s * 10)))))
        began = time.perf_counter()
        predictor.predict_feeds(batch)
        spent = time.perf_counter() - began
        if spent * max(BATCHES) / wanted > BATCH_S:
            break
    return rows_of(batch) / max(spent, 1e-9)
