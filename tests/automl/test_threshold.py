from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flowml.automl.ensemble import combine
from flowml.automl.metrics import METRICS
from flowml.automl.threshold import THRESHOLDED, best_threshold, decided, has_threshold

ROWS = 4000


def rare(share: float, seed: int = 0) -> tuple[Any, Any]:
    """Classes of which the second is rare, and probabilities that know something of them."""
    generator = np.random.default_rng(seed)
    signal = generator.normal(size=ROWS) + np.log(share / (1 - share))
    positive = 1 / (1 + np.exp(-signal))
    y = (generator.random(ROWS) < positive).astype(np.int64)
    return y, np.column_stack([1 - positive, positive])


@pytest.mark.parametrize("metric", THRESHOLDED)
def test_a_rare_class_is_answered_from_a_lower_probability_on(metric: str) -> None:
    y, stated = rare(0.08)
    score = METRICS[metric].score
    threshold = best_threshold(metric, y, stated, None)
    assert 0.02 < threshold < 0.5
    unseen, probabilities = rare(0.08, seed=1)
    assert score(unseen, decided(probabilities, threshold), None) > score(unseen, probabilities, None)


def test_one_half_is_kept_where_nothing_is_better() -> None:
    y = np.array([0, 1] * 50)
    certain = np.column_stack([1 - y, y]).astype(float)
    assert best_threshold("f1", y, certain, None) == 0.5
    assert best_threshold("f1", y, np.full((100, 2), 0.5), None) == 0.5


def test_weights_count() -> None:
    y, stated = rare(0.2)
    heavy = np.where(y == 1, 20.0, 1.0)
    assert best_threshold("f1_macro", y, stated, heavy) < best_threshold("f1_macro", y, stated, None)


def test_only_two_classes_and_metrics_of_labels_have_one() -> None:
    assert has_threshold("f1", np.zeros((3, 2)))
    assert not has_threshold("roc_auc", np.zeros((3, 2)))
    assert not has_threshold("f1_macro", np.zeros((3, 3)))


def test_an_ensemble_of_rare_classes_is_judged_with_its_threshold() -> None:
    y, stated = rare(0.05)
    others = [
        np.clip(stated + 0.01 * np.random.default_rng(k).normal(size=stated.shape), 0.001, 1)
        for k in range(3)
    ]
    parts = [stated, *(part / part.sum(axis=1, keepdims=True) for part in others)]
    found = combine(parts, y, None, "f1", seed=0)
    assert found.score > 0.15
    assert METRICS["f1"].score(y, stated, None) < 0.1
