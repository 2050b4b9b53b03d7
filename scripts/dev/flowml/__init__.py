"""FlowML Studio: self-hosted, private AutoML for tables.

import flowml

model = flowml.fit(frame, target="churn", budget="60s")
model.predict(rows)
flowml.load("model.onnx").predict_proba(rows)
flowml.FlowMLClassifier(budget="60s").fit(X, y)  # an estimator of scikit-learn; also FlowMLRegressor
flowml.Studio("http://127.0.0.1:8501").train(...)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from flowml.storage.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from flowml.automl.serve import Model
    from flowml.runner.estimators import FlowMLClassifier, FlowMLRegressor
    from flowml.runner.fit import fit
    from flowml.ui.client import Studio

# onnxruntime reports its use to its makers unless this is set before its first import, which can be anywhere.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = VERSION
__all__ = ["FlowMLClassifier", "FlowMLRegressor", "Model", "Studio", "__version__", "fit", "load"]

LAZY = {  # imported when first asked for
    "FlowMLClassifier": "flowml.runner.estimators",
    "FlowMLRegressor": "flowml.runner.estimators",
    "Model": "flowml.automl.serve",
    "Studio": "flowml.ui.client",
    "fit": "flowml.runner.fit",
}


def load(path: str | Path) -> Model:
    """The model in an ONNX file that FlowML wrote."""
    from flowml.automl.serve import Model

    return Model.load(path)


def __getattr__(name: str) -> Any:
    if name not in LAZY:
        raise AttributeError(f"module 'flowml' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(LAZY[name]), name)
