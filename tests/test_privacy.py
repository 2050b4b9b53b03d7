"""Nothing that we load reports to anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PREDICTS = """
import flowml
import onnxruntime
from onnx import TensorProto, helper

value = helper.make_tensor_value_info
node = helper.make_node("Identity", ["x"], ["y"])
x, y = (value(name, TensorProto.FLOAT, [1]) for name in "xy")
graph = helper.make_graph([node], "g", [x], [y])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
onnxruntime.InferenceSession(model.SerializeToString())
"""


def test_onnxruntime_keeps_no_record_of_its_use(tmp_path: Path) -> None:
    """Else it leaves the id of a device and queued reports in the user's cache."""
    own = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    others = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", PREDICTS], env=others | own, check=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
