"""ONNX files as others make them, well and ill meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

FLOAT, INT, TEXT = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING


def file(
    nodes: Sequence[NodeProto],
    inputs: Sequence[tuple[str, int, Sequence[Any]]] = (("X", FLOAT, ("N", 2)),),
    outputs: Sequence[tuple[str, int, Sequence[Any]]] = (("Y", FLOAT, ("N", 1)),),
    kept: Sequence[TensorProto] = (),
    opsets: Sequence[tuple[str, int]] = (("", 21), ("ai.onnx.ml", 3)),
    ir: int = 10,
) -> ModelProto:
    ports = [[helper.make_tensor_value_info(*each) for each in side] for side in (inputs, outputs)]
    graph = helper.make_graph(list(nodes), "g", *ports, list(kept))
    imports = [helper.make_opsetid(*each) for each in opsets]
    return helper.make_model(graph, opset_imports=imports, ir_version=ir, producer_name="elsewhere")


def weights() -> TensorProto:
    return numpy_helper.from_array(np.array([[2.0], [-1.0]], np.float32), "W")


def linear() -> ModelProto:
    return file([helper.make_node("MatMul", ["X", "W"], ["Y"])], kept=[weights()])


def words() -> ModelProto:
    """A category and a number in, a text out; one row at a time."""
    code = helper.make_node(
        "LabelEncoder", ["city"], ["Y"], domain="ai.onnx.ml", keys_strings=["Bonn"], values_floats=[1.5],
        default_float=-1.0,
    )  # fmt: skip
    return file([code], [("city", TEXT, (1, 1))], [("Y", FLOAT, (1, 1))])


def classifier() -> ModelProto:
    """As converters write it: labels, and probabilities as maps."""
    nodes = [
        helper.make_node(
            "LinearClassifier", ["X"], ["label", "scores"], domain="ai.onnx.ml",
            coefficients=[1.0, 0.0, 0.0, 1.0], intercepts=[0.0, 0.0],
            classlabels_strings=["no", "yes"], post_transform="SOFTMAX",
        ),
        helper.make_node(
            "ZipMap", ["scores"], ["shares"], domain="ai.onnx.ml", classlabels_strings=["no", "yes"]
        ),
    ]  # fmt: skip
    made = file(nodes, outputs=[("label", TEXT, ("N",)), ("shares", FLOAT, ("N", 2))])
    shares = made.graph.output[1].type
    shares.Clear()
    inner = shares.sequence_type.elem_type.map_type
    inner.key_type = TEXT
    inner.value_type.tensor_type.elem_type = FLOAT
    return made


def sized(length: int) -> ModelProto:
    """Fills as many cells as the length says, squared, with a value."""
    shape = numpy_helper.from_array(np.array([length, length], np.int64), "S")
    nodes = [
        helper.make_node("ConstantOfShape", ["S"], ["C"]),
        helper.make_node("ReduceSum", ["C"], ["R"], keepdims=1),
        helper.make_node("Add", ["X", "R"], ["Y"]),
    ]
    return file(nodes, outputs=[("Y", FLOAT, ("N", 2))], kept=[shape])


def _elsewhere() -> ModelProto:
    made = linear()
    kept = made.graph.initializer[0]
    kept.ClearField("raw_data")
    kept.data_location = TensorProto.EXTERNAL
    kept.external_data.add(key="location", value="/etc/passwd")
    return made


def _with(change: Callable[[ModelProto], object]) -> ModelProto:
    made = linear()
    change(made)
    return made


def _loop() -> ModelProto:
    inner = helper.make_graph([helper.make_node("Identity", ["X"], ["Z"])], "inner", [], [])
    return file([helper.make_node("If", ["X"], ["Y"], then_branch=inner, else_branch=inner)])


REFUSED: dict[str, tuple[Callable[[], ModelProto], str]] = {
    "an operator of another domain": (
        lambda: file(
            [helper.make_node("Evil", ["X"], ["Y"], domain="com.evil")], opsets=[("", 21), ("com.evil", 1)]
        ),
        "domain 'com.evil'",
    ),
    "an operator that is on no list": (
        lambda: file([helper.make_node("RandomNormalLike", ["X"], ["Y"])]),
        "answers differently each time",
    ),
    "an operator that nobody knows": (
        lambda: file([helper.make_node("Evil", ["X"], ["Y"])]),
        "'Evil' is not on",
    ),
    "a graph inside": (_loop, "'If' holds graphs of its own"),
    "values in other files": (_elsewhere, "values in other files"),
    "functions of its own": (
        lambda: _with(lambda m: m.functions.append(helper.make_function("f", "F", ["a"], ["b"], [], []))),
        "functions of its own",
    ),
    "newer operators": (lambda: _with(lambda m: setattr(m.opset_import[0], "version", 99)), "version 99"),
    "a newer format": (lambda: _with(lambda m: setattr(m, "ir_version", 99)), "IR 99"),
    "no rows": (
        lambda: file([helper.make_node("Neg", ["X"], ["Y"])], [("X", FLOAT, (7, 2))], [("Y", FLOAT, (7, 2))]),
        "rows along the first axis",
    ),
    "complex numbers": (
        lambda: file([helper.make_node("Shape", ["X"], ["Y"])], [("X", TensorProto.COMPLEX64, ("N",))]),
        "type",
    ),
}  # fmt: skip
