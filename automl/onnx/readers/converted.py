"""Models that skl2onnx converted."""

from __future__ import annotations

import onnx

from flowml.automl.fitted import Fitted
from flowml.automl.onnx.parts import Pasted
from flowml.storage.errors import ExportError


def read(fitted: Fitted) -> Pasted:
    model = onnx.load_from_string(fitted.content)
    if len(model.graph.input) != 1:
        raise ExportError(f"A converted model has {len(model.graph.input)} inputs, one matrix was expected.")
    scores = [
        output.name
        for output in model.graph.output
        if output.type.tensor_type.elem_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
    ]
    if len(scores) != 1:
        raise ExportError(
            f"A converted model has {len(scores)} outputs of numbers, one was expected.",
            "Convert without ZipMap.",
        )
    return Pasted(model, scores[0], fitted.n_outputs)
