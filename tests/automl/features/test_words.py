"""Means of words: texts as sums of what their words foretell, exact in the graph, in all spellings."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from flowml.automl.contract import take
from flowml.automl.features import Encoding
from flowml.automl.features.words import STEPS, WordMeans
from flowml.automl.prepared import Prepared, prepare_frame
from flowml.storage.records import JobSpec, Role, Task
from tests.automl.features.test_encodings import same_bits, twin
from tests.automl.tables import schema_of

GOOD, BAD, PLAIN = (
    ("lovely", "great", "fast"),
    ("broken", "late", "rude"),
    ("the", "parcel", "was", "it", "very"),
)
TARGETS = {Task.REGRESSION: "stars", Task.BINARY: "happy", Task.MULTICLASS: "mood"}


def reviews(rows: int = 300, seed: int = 0) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    texts, stars = [], []
    for _ in range(rows):
        words = draw.choice([*GOOD, *BAD, *PLAIN], draw.integers(3, 9)).tolist()
        stars.append(sum(word in GOOD for word in words) - sum(word in BAD for word in words))
        texts.append(" ".join(words).capitalize() + "." if draw.random() < 0.95 else None)
    mood = np.array(["angry", "calm", "glad"])[np.digitize(stars, [0, 2])]
    happy = np.where(np.array(stars) > 0, "yes", "no")
    return pl.DataFrame(
        {"text": texts, "size": draw.normal(size=rows), "stars": stars, "happy": happy, "mood": mood}
    )


def prepared(task: Task) -> Prepared:
    target = TARGETS[task]
    frame = reviews().drop([name for name in TARGETS.values() if name != target])
    spec = JobSpec(target, task=task.value, folds=3)
    return prepare_frame(frame, schema_of(frame, text=Role.TEXT), spec)


@pytest.mark.parametrize("task", Task)
def test_every_fold_equals_its_twin_bit_by_bit(task: Task) -> None:
    table = prepared(task)
    encoding = table.encoding("ordinal_means", 0)
    checked = take(table.feeds, table.folds.pairs[0][1])
    _, X_valid = table.fold("ordinal_means", 0)
    assert same_bits(encoding.transform(checked), X_valid)
    assert same_bits(twin(encoding, table.contract, checked), X_valid)
    strange = {"size": np.zeros((6, 1)), "text": np.zeros((6, 1), object)}
    strange["text"][:, 0] = ["", "None", "never seen", "Great great  late. ", "late " * 3000, "\tgreat\nlate"]
    for given in (strange, take(strange, [0]), take(strange, [2])):
        assert same_bits(twin(encoding, table.contract, given), encoding.transform(given))
    assert Encoding.from_dict(json.loads(json.dumps(encoding.to_dict()))) == encoding


def test_words_tell_what_they_foretell() -> None:
    table = prepared(Task.REGRESSION)
    (block,) = (b for b in table.encoding("onehot_means", 0).blocks if isinstance(b, WordMeans))
    feeds = {"text": np.array([["great"], ["Great."], ["broken"], ["parcel"], [""]], object)}
    great, spelled, broken, parcel, missing = block.transform(feeds)[:, 0]
    assert great == spelled > 0.3
    assert broken < -0.3
    assert abs(parcel) < 0.2
    assert missing == 0
    assert float(great) * STEPS == int(float(great) * STEPS)


def test_no_row_has_its_own_target_in_its_words() -> None:
    """Every text has a word of its own pair: a mean that held the row's target would foretell it."""
    draw = np.random.default_rng(0)
    texts = [f"word{n % 400} word{n % 397}" for n in range(800)]
    frame = pl.DataFrame({"text": texts, "y": draw.normal(size=800)})
    table = prepare_frame(frame, schema_of(frame, text=Role.TEXT), JobSpec("y", folds=2))
    own = table.fold("ordinal_means", 0)[0][:, -1]
    assert abs(np.corrcoef(own, table.problem.y[table.folds.pairs[0][0]])[0, 1]) < 0.1
