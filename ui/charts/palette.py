"""Which colour stands for what, the same in every chart."""

from __future__ import annotations

import zlib

TEXT, MUTED, GRID, PRIMARY, SURFACE = "@text", "@muted", "@grid", "@primary", "@surface"
DEEP = "@deep"  # the primary colour, dark enough for white numbers on it
COLOURS = 10

# One colour a family, so that a reader learns them once; others get one by their name.
_FAMILIES: dict[str, int] = {
    "lightgbm": 0,
    "xgboost": 1,
    "catboost": 2,
    "random_forest": 3,
    "extra_trees": 4,
    "hist_gradient_boosting": 5,
    "logistic": 6,
    "ridge": 6,
    "lasso": 7,
    "elastic_net": 8,
    "dummy": 9,
}


def colour(index: int) -> str:
    """The n-th categorical colour of the theme."""
    return f"@{index % COLOURS}"


def algorithm_colour(key: str) -> str:
    return colour(_FAMILIES.get(key, zlib.crc32(key.encode()) % (COLOURS - 1)))
