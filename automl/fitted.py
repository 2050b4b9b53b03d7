"""What is kept of a fitted estimator: plain bytes in one of a few known formats, never a pickle.

Formats, and the links we write with them:

- lightgbm: the text of `Booster.model_to_string`, best iterations only. sigmoid, softmax, identity, expm1
- xgboost: `Booster.save_raw("json")`, best iterations only. sigmoid, softmax, identity, expm1
- catboost: the JSON that CatBoost writes; flat feature indices are columns of the matrix, categories are the
  integers of the matrix as text. sigmoid, softmax, identity, expm1
- sklearn_trees: npz of TREE_ARRAYS; the raw score is `base` plus the SUM of leaf values. Any link
- linear: npz of `coef` (columns, outputs) and `intercept` (outputs,), on the columns of the encoding as they
  are: scaling is folded in. sigmoid, softmax, identity, expm1
- kernel: npz of `center` and `scale` (columns,), by which features are squashed, `vectors` (vectors, columns)
  that are squashed already, `coef` (vectors, outputs), `intercept` (outputs,) and `gamma`. As linear
- network: npz of `center` and `scale`, and of the parts of networks as `algorithms.perceptron` names them;
  their mean score times `spread` plus `middle`. As linear
- neighbors: npz of `center` and `scale`, and of what `algorithms.neighbors.raw_scores` counts with.
  probability, identity, expm1
- quadratic: npz of `center` and `scale`, `curve` and `slope` (columns, outputs), `intercept` (outputs,): the
  squares of squashed features times `curve`, plus themselves times `slope`. sigmoid, softmax
- constant: npz of `value` (outputs,). probability, identity
- onnx: an ONNX model, float32 matrix in, `n_outputs` columns out. probability, identity

`n_outputs` counts the columns of the raw score: 1 for regression and for a binary model with link `sigmoid`,
else the number of classes. Links turn the raw score into what the metric sees:

- sigmoid: one column to two probabilities [1 - p, p]
- softmax: K columns to K probabilities
- probability: the columns are class probabilities already
- identity: the one column is the value
- expm1: the value is exp(score) - 1, for targets that were learned as log(1 + y)
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flowml.storage.errors import ExportError

Arrays = dict[str, npt.NDArray[Any]]

FORMATS = (
    "lightgbm",
    "xgboost",
    "catboost",
    "sklearn_trees",
    "linear",
    "kernel",
    "network",
    "neighbors",
    "quadratic",
    "constant",
    "onnx",
)
LINKS = ("sigmoid", "softmax", "probability", "identity", "expm1")

# The nodes of all trees one after another; tree t owns nodes offsets[t] to offsets[t + 1].
TREE_ARRAYS = {
    "offsets": "int64 (trees + 1,)",
    "left": "int32 (nodes,), index inside the tree, -1 at a leaf",
    "right": "int32 (nodes,)",
    "feature": "int32 (nodes,)",
    "threshold": "float32 (nodes,), rounded down, so that x <= threshold decides as the library did",
    "missing_left": "bool (nodes,), where a missing value goes",
    "target": "int32 (trees,), output that a tree adds to, or -1: to all of them",
    "value": "float32 (nodes, outputs) where target is -1, else (nodes, 1); 0 inside the tree",
    "base": "float64 (outputs,), added once",
    "set_node": "int64 (sets,), nodes that send left what is in a set of codes, whatever their threshold",
    "set_offsets": "int64 (sets + 1,)",
    "set_codes": "int32, set s owns set_offsets[s] to set_offsets[s + 1]",
}


@dataclass(frozen=True)
class Fitted:
    """A fitted estimator as plain bytes."""

    format: str
    link: str
    content: bytes
    n_outputs: int

    def __post_init__(self) -> None:
        for word, known, kind in ((self.format, FORMATS, "format"), (self.link, LINKS, "link")):
            if word not in known:
                raise ExportError(
                    f"Unknown {kind} of a fitted model: {word!r}.", f"Use one of {', '.join(known)}."
                )


def pack(arrays: Arrays) -> bytes:
    """Write arrays as an uncompressed npz that holds no Python objects."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(content: bytes) -> Arrays:
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def floor32(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Round down to float32: `x <= value` then holds for exactly the same float32 x."""
    rounded = values.astype(np.float32)
    above = rounded.astype(np.float64) > values
    rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
    return rounded
