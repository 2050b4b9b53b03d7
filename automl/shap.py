"""SHAP values of the champion's strongest tree model, on rows that its fold models had not seen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.blend import Blend
from flowml.automl.contract import Feeds, take
from flowml.automl.dependence import shown
from flowml.automl.fitted import Fitted
from flowml.automl.leaderboard import name_of
from flowml.automl.metrics import Array
from flowml.automl.outcome import load_fitted, trial_folder
from flowml.automl.prepared import Prepared
from flowml.automl.tree_shap import LIBRARIES, by_column, scale_of
from flowml.storage.records import Json, Task, TrialRecord

MOST_ROWS = 200  # of all folds together
TRIED_ROWS = 5  # of the first fold, to see how long one takes
FEWEST_ROWS = 20
MOST_COLUMNS = 12  # whose values are told row by row
MOST_CLASSES = 10


def shap_values(prepared: Prepared, work: Path, blend: Blend, deadline: float) -> Json | None:
    """{trial, name, scale, rows, labels, base, columns [{column, mean, std}], classes [{label, mean}], values
    [{column, value, contribution}], totals {label, base, score}}; {} if no library explains the champion,
    None without time.

    About the member with the most weight among those whose library gives SHAP values. base: the expected raw
    score of each of `labels`. columns: the mean absolute contribution over rows and classes, most first, and
    its spread over folds. classes: the same for each class in the order of `columns`, if there are more than
    two. values: row by row for the first columns, what was added to the score of the class predicted. totals:
    row by row, of which class that is (a place in `labels`, None past them), from what it starts and what all
    columns make of it.
    """
    member = _member(blend)
    if member is None:
        return {}
    fitted = load_fitted(trial_folder(work, member.number))
    began = time.monotonic()
    first = _of_fold(prepared, member, fitted[0], 0, TRIED_ROWS)
    row_s = (time.monotonic() - began) / len(first.X)
    affordable = int((deadline - time.monotonic()) / max(row_s, 1e-6))
    if affordable < FEWEST_ROWS:
        return None
    each = max(1, -(-min(MOST_ROWS, affordable) // len(fitted)))
    folds = [_of_fold(prepared, member, one, index, each) for index, one in enumerate(fitted)]
    return _told(prepared, member, fitted[0], folds)


def _member(blend: Blend) -> TrialRecord | None:
    able = [
        (weight, member)
        for weight, member in zip(blend.weights, blend.members, strict=True)
        if ALGORITHMS[member.algorithm].format in LIBRARIES
    ]
    return max(able, key=lambda pair: pair[0])[1] if able else None


@dataclass(frozen=True)
class _Fold:
    feeds: Feeds
    X: Array
    contributions: Array  # (rows, columns, outputs)
    expected: Array  # (outputs,)


def _of_fold(prepared: Prepared, member: TrialRecord, fitted: Fitted, index: int, most: int) -> _Fold:
    encoding = prepared.encoding(ALGORITHMS[member.algorithm].encoding_for(member.params), index)
    valid = prepared.folds.pairs[index][1]
    rows = np.sort(np.random.default_rng(prepared.problem.seed).permutation(valid)[:most])
    feeds = take(prepared.feeds, rows)
    X = encoding.transform(feeds)
    feed_names = [column.feed for column in prepared.contract.columns]
    return _Fold(feeds, X, *by_column(fitted, X, encoding.sources, feed_names))


def _told(prepared: Prepared, member: TrialRecord, fitted: Fitted, folds: Sequence[_Fold]) -> Json:
    columns = prepared.contract.columns
    strengths = np.stack(
        [np.abs(fold.contributions).mean(axis=0) for fold in folds]
    )  # folds, columns, outputs
    mean, std = strengths.mean(axis=(0, 2)), strengths.mean(axis=2).std(axis=0)
    order = np.argsort(-mean, kind="stable")
    labels = _labels(prepared, fitted.n_outputs)
    by_class = strengths.mean(axis=0)
    classes = [{"label": label, "mean": by_class[order, k].tolist()} for k, label in enumerate(labels)]
    told = np.concatenate([_of_predicted(fold) for fold in folds])
    chosen = np.concatenate([_chosen(fold) for fold in folds])
    base = np.concatenate([fold.expected[_chosen(fold)] for fold in folds])
    values = [
        {
            "column": columns[place].name,
            "value": [v for fold in folds for v in shown(columns[place], fold.feeds[columns[place].feed])],
            "contribution": told[:, place].tolist(),
        }
        for place in order[:MOST_COLUMNS]
    ]
    return {
        "trial": member.number,
        "name": name_of(member),
        "scale": scale_of(fitted),
        "rows": len(told),
        "labels": labels,
        "base": np.mean([fold.expected for fold in folds], axis=0)[:MOST_CLASSES].tolist(),
        "columns": [{"column": columns[p].name, "mean": float(mean[p]), "std": float(std[p])} for p in order],
        "classes": classes if fitted.n_outputs > 1 else [],
        "values": values,
        "totals": {
            "label": [place if place < len(labels) else None for place in chosen.tolist()],
            "base": base.tolist(),
            "score": (base + told.sum(axis=1)).tolist(),
        },
    }


def _of_predicted(fold: _Fold) -> Array:
    """(rows, columns): what was added to the score of the class that the row's scores chose."""
    picked: Array = fold.contributions[np.arange(len(fold.X)), :, _chosen(fold)]
    return picked


def _chosen(fold: _Fold) -> Array:
    """The place of the output whose score is highest, for each row."""
    scores: Array = fold.contributions.sum(axis=1) + fold.expected
    return np.asarray(scores.argmax(axis=1))


def _labels(prepared: Prepared, outputs: int) -> list[str]:
    """What the raw scores are of: the target, the second of two classes, or each class."""
    contract = prepared.contract
    if contract.task is Task.REGRESSION:
        return [contract.target]
    return list(contract.classes[:MOST_CLASSES] if outputs > 1 else contract.classes[1:2])
