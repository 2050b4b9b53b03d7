"""The expression that stands for a row of METRICS in its source."""

from __future__ import annotations

import ast
import inspect

from flowml.automl import metrics


def metric_expression(key: str) -> str:
    """As `_one_vs_rest(_auc)`."""
    for node in ast.walk(ast.parse(inspect.getsource(metrics))):
        match node:
            case ast.Call(func=ast.Name(id="Metric"), args=[ast.Constant(value=found), *others]) if (
                found == key
            ):
                return ast.unparse(others[4])
    raise KeyError(key)
