"""A look into an ONNX file of others: it is refused unless every part of it is known to be harmless."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from flowml.automl.foreign.operators import ALLOWED, ML, NEWEST, NEWEST_IR, ONNX, REFUSED
from flowml.automl.session import open_session
from flowml.storage.errors import BrokenFile, ExportError, NotAllowed
from flowml.storage.records import ForeignGraph, Port

MOST_NODES = 50_000
MOST_PORTS = 1_000
TYPES = {
    onnx.TensorProto.FLOAT: "float",
    onnx.TensorProto.DOUBLE: "double",
    onnx.TensorProto.FLOAT16: "float16",
    onnx.TensorProto.INT8: "int8",
    onnx.TensorProto.INT16: "int16",
    onnx.TensorProto.INT32: "int32",
    onnx.TensorProto.INT64: "int64",
    onnx.TensorProto.UINT8: "uint8",
    onnx.TensorProto.UINT16: "uint16",
    onnx.TensorProto.UINT32: "uint32",
    onnx.TensorProto.UINT64: "uint64",
    onnx.TensorProto.BOOL: "bool",
    onnx.TensorProto.STRING: "string",
}
ANOTHER = "Export the model with fewer or other parts, or train one here."


def look(content: bytes) -> ForeignGraph:
    """What the file takes and gives. Raises BrokenFile, and NotAllowed for what is not let in."""
    model = _parsed(content)
    opsets = _opsets(model)
    if model.functions or model.training_info:
        raise _refused("It brings functions of its own or a graph for training.")
    graph = model.graph
    if graph.sparse_initializer:
        raise _refused("It keeps values as sparse tensors.")
    if len(graph.node) > MOST_NODES:
        raise _refused(f"It has {len(graph.node):,} nodes, at most {MOST_NODES:,} are let in.")
    operators = Counter(_operator(node) for node in graph.node)
    if any(tensor.external_data or tensor.data_location for tensor in _tensors(graph)):
        raise _refused("It keeps values in other files.", "Save it as one file, with all values inside.")
    _must_open(content)
    kept = {each.name for each in graph.initializer}
    inputs = tuple(_input(each) for each in graph.input if each.name not in kept)
    outputs = tuple(_output(each) for each in graph.output)
    if not 0 < len(inputs) <= MOST_PORTS or not 0 < len(outputs) <= MOST_PORTS:
        raise _refused(
            f"It has {len(inputs)} inputs and {len(outputs)} outputs; 1 to {MOST_PORTS:,} are let in."
        )
    return ForeignGraph(
        inputs, outputs, dict(sorted(operators.items())), opsets, model.ir_version, _producer(model)
    )


def _parsed(content: bytes) -> Any:
    try:
        model = onnx.ModelProto.FromString(content)
    except DecodeError as error:
        raise BrokenFile("This is no ONNX file, or it was cut off.", "Export it again.") from error
    if not model.ir_version or not model.graph.node:
        raise BrokenFile("This is no ONNX file: it holds no graph.", "Choose the .onnx file of a model.")
    return model


def _opsets(model: Any) -> dict[str, int]:
    if model.ir_version > NEWEST_IR:
        raise _refused(
            f"It is of ONNX IR {model.ir_version}, versions up to {NEWEST_IR} open here.",
            "Export it for an older one.",
        )
    found = {each.domain or ONNX: each.version for each in model.opset_import}
    for domain, version in found.items():
        if domain not in NEWEST:
            raise _refused(f"It uses operators of the domain {domain[:80]!r}; let in are {ONNX} and {ML}.")
        if version > NEWEST[domain]:
            raise _refused(
                f"It uses version {version} of {domain}, versions up to {NEWEST[domain]} open here.",
                "Export it for an older one.",
            )
    return found


def _operator(node: Any) -> str:
    domain, name = node.domain or ONNX, node.op_type
    if name not in ALLOWED.get(domain, ()):
        why = REFUSED.get(name, "is not on the list of what is let in")
        raise _refused(f"Its operator {name[:80]!r} {why}.")
    if any(each.HasField("g") or each.graphs for each in node.attribute):
        raise _refused(f"Its operator {name!r} holds a graph.")
    return str(name)


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for node in graph.node:
        for each in node.attribute:
            yield from each.tensors
            if each.HasField("t"):
                yield each.t
            if each.HasField("sparse_tensor") or each.sparse_tensors:
                raise _refused("It keeps values as sparse tensors.")


def _must_open(content: bytes) -> None:
    try:
        open_session(content)
    except ExportError as error:
        raise BrokenFile(f"{error.message}", "Check it where it was made.") from error


def _input(value: Any) -> Port:
    port = _port(value)
    if port.type == "map":
        raise _refused(f"Its input {port.name[:80]!r} is no tensor.")
    if not port.shape or port.shape[0] not in (None, 1):
        raise _refused(
            f"Its input {port.name[:80]!r} has the shape {list(port.shape)};"
            " expected rows along the first axis.",
            "Export it with a free first axis.",
        )
    return port


def _output(value: Any) -> Port:
    return _port(value)


def _port(value: Any) -> Port:
    kind = value.type.WhichOneof("value")
    if kind in ("sequence_type", "map_type"):
        return Port(value.name, "map")
    tensor = value.type.tensor_type
    if kind != "tensor_type" or tensor.elem_type not in TYPES:
        raise _refused(f"What it calls {value.name[:80]!r} is of a type that is not let in.")
    lengths = (each.dim_value if each.HasField("dim_value") else 0 for each in tensor.shape.dim)
    return Port(
        value.name, TYPES[tensor.elem_type], tuple(length if length > 0 else None for length in lengths)
    )


def _producer(model: Any) -> str:
    return f"{model.producer_name} {model.producer_version}".strip()[:200]


def _refused(why: str, advice: str = ANOTHER) -> NotAllowed:
    return NotAllowed(f"This ONNX file is not let in. {why}", advice)
