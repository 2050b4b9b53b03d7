"""A builder of ONNX graphs. The same operator on the same inputs is written once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from flowml.automl.contract import Contract, Kind
from flowml.automl.features.graph import ML
from flowml.storage.errors import ExportError
from flowml.storage.version import VERSION

OPSET = 21
ML_OPSET = 5
IR = 10
PRODUCER = "flowml-studio"
LARGEST = 1_900_000_000  # bytes
INPUT_TYPES = {
    Kind.NUMBER: onnx.TensorProto.DOUBLE,
    Kind.STRING: onnx.TensorProto.STRING,
    Kind.TEXT: onnx.TensorProto.STRING,
    Kind.DATETIME: onnx.TensorProto.INT64,
}


class Graph:
    def __init__(self, contract: Contract | None = None) -> None:
        self._model = onnx.ModelProto(ir_version=IR, producer_name=PRODUCER, producer_version=VERSION)
        for domain, version in (("", OPSET), (ML, ML_OPSET)):
            self._model.opset_import.append(helper.make_opsetid(domain, version))
        self._graph = self._model.graph  # everything is written into it at once: large nodes are dear to copy
        self._graph.name = "flowml"
        self._known: dict[Any, tuple[str, ...]] = {}
        self._named = 0
        for column in contract.columns if contract else ():
            self.input(column.feed, INPUT_TYPES[column.kind], 1)

    def input(self, name: str, tensor_type: int, width: int) -> str:
        self._graph.input.append(helper.make_tensor_value_info(name, tensor_type, [None, width]))
        return name

    def output(self, name: str, value: str, tensor_type: int, shape: list[int | None]) -> None:
        self._graph.node.append(helper.make_node("Identity", [value], [name]))
        self._graph.output.append(helper.make_tensor_value_info(name, tensor_type, shape))

    def constant(self, values: npt.ArrayLike, dtype: npt.DTypeLike) -> str:
        array = np.asarray(values, dtype)
        key = ("constant", array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            name = self._name("constant")
            self._graph.initializer.append(numpy_helper.from_array(array, name))
            self._known[key] = (name,)
        return self._known[key][0]

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        return self.ops(kind, *inputs, outputs=1, domain=domain, **attributes)[0]

    def ops(
        self, kind: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any
    ) -> tuple[str, ...]:
        key = (kind, inputs, outputs, domain, _frozen(attributes))
        if key not in self._known:
            names = tuple(self._name(kind) for _ in range(outputs))
            self._graph.node.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
            self._known[key] = names
        return self._known[key]

    def cast(self, value: str, dtype: npt.DTypeLike) -> str:
        return self.op("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def add(self, node: Any, kind: str) -> str:
        """Add a node made elsewhere, with one output that is named here."""
        name = self._name(kind)
        node.output.append(name)
        self._graph.node.append(node)
        return name

    def paste(self, model: Any, inputs: Mapping[str, str]) -> dict[str, str]:
        """Add all operators of another model, its inputs tied to tensors of this graph.

        Returns the names that its outputs have here.
        """
        prefix, graph = self._name("pasted") + "/", model.graph
        names = dict(inputs)
        for tensor in graph.initializer:
            copy = onnx.TensorProto.FromString(tensor.SerializeToString())
            copy.name = names[tensor.name] = prefix + tensor.name
            self._graph.initializer.append(copy)
        for node in graph.node:
            self._graph.node.append(_renamed(node, names, prefix))
        return {output.name: names[output.name] for output in graph.output}

    def model(self, metadata: Mapping[str, str]) -> bytes:
        """The whole model as bytes, checked."""
        helper.set_model_props(self._model, dict(metadata))
        content: bytes = self._model.SerializeToString()
        if len(content) > LARGEST:
            raise ExportError(
                f"The model takes {len(content) / 1e9:.1f} GB as ONNX, more than 2 GB cannot be opened.",
                "Let fewer or smaller models into the ensemble.",
            )
        onnx.checker.check_model(content)
        return content

    def _name(self, kind: str) -> str:
        self._named += 1
        return f"flowml/{kind}/{self._named}"


def _frozen(attributes: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(
        (name, tuple(value) if isinstance(value, list) else value)
        for name, value in sorted(attributes.items())
    )


def _renamed(node: Any, names: dict[str, str], prefix: str) -> Any:
    if any(
        attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
        for attribute in node.attribute
    ):
        raise ExportError(f"The operator {node.op_type} holds a graph of its own, which cannot be pasted.")
    copy = onnx.NodeProto.FromString(node.SerializeToString())
    copy.name = prefix + node.name
    del copy.input[:], copy.output[:]
    copy.input.extend(names.get(name, prefix + name) if name else "" for name in node.input)
    for name in node.output:
        names[name] = prefix + name if name else ""
        copy.output.append(names[name])
    return copy
