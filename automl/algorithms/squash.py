"""Features made alike for learners that measure distances or add things up: robustly scaled, wild ones tamed.

Each column is centred at its median and divided by the spread of its middle half; columns of 0 and 1 stay as
they are. Then `z / sqrt(1 + (z / 3)^2)`, which leaves usual values nearly alone and lets none pass 3.
"""

from __future__ import annotations

import numpy as np

from flowml.automl.fitted import Arrays
from flowml.automl.metrics import Array

FURTHEST = 3.0
FLAG = 1.0 / np.sqrt(1.0 + 1.0 / FURTHEST**2)  # what a 1 becomes in a column of 0 and 1
MIDDLE_HALF = 1.349  # width of the middle half of a normal distribution, in standard deviations
MOST_ROWS = 20_000  # that medians are taken from


def learn(X: Array) -> Arrays:
    """`center` and `scale` of each column, float32."""
    rows = X[:: max(1, len(X) // MOST_ROWS)]
    low, center, high = np.quantile(rows, [0.25, 0.5, 0.75], axis=0)
    lowest, highest = X.min(axis=0), X.max(axis=0)
    spread = np.where(high > low, (high - low) / MIDDLE_HALF, (highest - lowest) / 2)
    flag = ((X == 0) | (X == 1)).all(axis=0) | ~(spread > 0)
    return {
        "center": np.where(flag, 0.0, center).astype(np.float32),
        "scale": np.where(flag, 1.0, 1.0 / np.where(spread > 0, spread, 1.0)).astype(np.float32),
    }


def apply(arrays: Arrays, X: Array) -> Array:
    """Counted in double; the graph does the same, step by step."""
    z = (X.astype(np.float64) - arrays["center"]) * arrays["scale"].astype(np.float64)
    squashed: Array = z / np.sqrt(1.0 + z * z / FURTHEST**2)
    return squashed
