"""Nothing that we load reports to anybody, and nothing that we run asks for anything outside."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flowml.ui.navigation import PAGES

ALONE = ["unshare", "--map-root-user", "--net"]  # in a network that has loopback alone
TOUR = Path(__file__).with_name("offline.py")
CHROMIUM = os.environ.get("FLOWML_CHROMIUM") or shutil.which("chromium") or ""

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


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a studio, a worker, a training and a browser did in a network of their own: see offline.py."""
    permitted = (
        shutil.which("unshare") and not subprocess.run([*ALONE, "true"], capture_output=True).returncode
    )
    if not permitted:
        pytest.skip("this machine permits no network namespace (unshare --map-root-user --net)")
    folder = tmp_path_factory.mktemp("alone")
    command = [*ALONE, sys.executable, TOUR, folder, *([CHROMIUM] if CHROMIUM else [])]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return dict(json.loads((folder / "told.json").read_text()))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_all_works_without_a_network_and_tries_no_other(told: dict[str, Any]) -> None:
    assert (told["status"], told["cause"], told["exit"]) == ("finished", "", 0)
    assert told["unrouted"] == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_each_connection_goes_to_this_machine(told: dict[str, Any]) -> None:
    assert len(told["connections"]) > 3  # the studio, its worker, children that read tables and train
    goals = {goal for notes in told["connections"].values() for _, goal in notes}
    assert {goal for goal in goals if not _here(goal)} == set()
    assert "127.0.0.1" in goals


def _here(goal: str | int | None) -> bool:
    """Whether it is a socket file, nothing, or a loopback address."""
    if not isinstance(goal, str) or goal.startswith(("/", "\0")) or goal in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(goal).is_loopback
    except ValueError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")
def test_no_page_asks_another_host(told: dict[str, Any]) -> None:
    assert told["seen"] == [row.key for row in PAGES]
    assert told["foreign"] == []
