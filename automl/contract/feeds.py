"""Feeds: what a model is fed. One array of shape (rows, 1) for each column, ready for onnxruntime.

- number: float64, NaN is missing
- string, text: object array of str, '' is missing
- datetime: int64 seconds since 1970 in UTC, MISSING_DATE is missing
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Feeds: TypeAlias = dict[str, npt.NDArray[Any]]

# Texts that mean "missing": this is how onnxruntime spells None and NaN of the common libraries, and what
# tables write for no value. The encodings map them to missing in Python and inside the ONNX graph alike.
MISSING_TOKENS = ("", "nan", "NaN", "None", "<NA>", "NaT", "null", "NULL", "NA", "N/A", "#N/A")
MISSING_DATE = int(np.iinfo(np.int64).min)

NUMBER_LIMIT = float(np.finfo(np.float32).max)  # features are float32
FIRST_SECOND = -62_135_596_800  # 0001-01-01
LAST_SECOND = 253_402_300_799  # 9999-12-31


def rows_of(feeds: Feeds) -> int:
    return len(next(iter(feeds.values()))) if feeds else 0


def take(feeds: Feeds, rows: Any) -> Feeds:
    """The feeds of some rows: an index array, a mask or a slice."""
    return {name: values[rows] for name, values in feeds.items()}


def missing(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which rows of one column's array are missing, as a flat mask."""
    flat = values.ravel()
    if flat.dtype.kind == "f":
        return np.asarray(np.isnan(flat), dtype=np.bool_)
    if flat.dtype.kind == "i":
        return np.asarray(flat == MISSING_DATE, dtype=np.bool_)
    return np.asarray(flat == "", dtype=np.bool_)
