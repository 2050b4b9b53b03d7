"""What the leaves of a single tree say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from flowml.automl.algorithms.tree import shrunk


def test_leaves_are_drawn_towards_their_parents_by_their_rows() -> None:
    X = np.array([[0.0], [1.0], [1.0], [1.0]])
    tree = DecisionTreeRegressor().fit(X, np.array([8.0, 0.0, 0.0, 0.0])).tree_
    value = tree.value[:, 0, :]
    assert shrunk(tree, value, 0.0).ravel().tolist() == value.ravel().tolist() == [2.0, 8.0, 0.0]
    assert shrunk(tree, value, 4.0).ravel() == pytest.approx([2.0, 5.0, 1.0])
