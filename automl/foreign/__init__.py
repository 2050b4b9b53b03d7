"""ONNX files that others made: what of them is let in, and how they are asked, in a process with limits."""

from flowml.automl.foreign.asking import ask
from flowml.automl.foreign.look import look
from flowml.automl.foreign.operators import ALLOWED, REFUSED

__all__ = ["ALLOWED", "REFUSED", "ask", "look"]
