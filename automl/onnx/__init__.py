"""One ONNX file for a whole champion: raw columns in, labels and probabilities or values out.

To add a format of fitted models: one row in `readers.READERS` and one in `native.LIBRARIES`. To add a link or
a step after the blend: one row in `links.LINKS` or `steps.STEPS`, each with its twin in Python.
"""

from flowml.automl.onnx.champion import build, expected
from flowml.automl.onnx.mixture import Member, Witness
from flowml.automl.onnx.parity import check, check_member, gate
from flowml.automl.onnx.steps import STEPS, Step

__all__ = ["STEPS", "Member", "Step", "Witness", "build", "check", "check_member", "expected", "gate"]
