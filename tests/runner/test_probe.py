"""The probe tells what this machine can do, from a process of its own."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flowml.runner import gpu
from flowml.runner.addresses import lan_address, ollama_version, tailscale_address
from flowml.runner.probe import probe
from flowml.storage.records import Capabilities, Gpu

CARDS = (Gpu(0, "first", uuid="GPU-aaaa"), Gpu(1, "second", uuid="GPU-bbbb"))


def test_this_machine_is_described() -> None:
    started = time.monotonic()
    found = probe()
    assert found.cpu_model
    assert 1 <= found.cpus <= found.cores_logical
    assert found.cores_physical >= 1
    assert 0 < found.ram_available <= found.ram_total
    assert found.python == ".".join(map(str, sys.version_info[:3]))
    assert found.hostname == socket.gethostname()
    assert found.versions["lightgbm"]
    assert found.gpus or found.gpu_reason
    assert Capabilities.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    if not found.gpus:
        assert time.monotonic() - started < 50


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_a_child_with_one_core_reports_one_core() -> None:
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(mine)})
    try:
        assert probe().cpus == 1
    finally:
        os.sched_setaffinity(0, mine)


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        (None, CARDS),
        ("", ()),
        ("-1", ()),
        ("1", CARDS[1:]),
        ("GPU-bb,0", (CARDS[1], CARDS[0])),
        ("0,7,1", CARDS[:1]),
    ],
)
def test_hidden_cards_are_not_counted(setting: str | None, shown: tuple[Gpu, ...]) -> None:
    assert gpu.visible(CARDS, setting) == shown


def test_without_a_card_the_reason_is_given_and_no_library_is_believed() -> None:
    found = gpu.cards()
    if found.gpus:
        pytest.skip("this machine has a GPU")
    assert found.reason
    assert gpu.prove(("xgboost",))["xgboost"]


def test_every_library_that_can_use_a_gpu_has_a_proof() -> None:
    assert set(gpu.PROOFS) == {"xgboost", "lightgbm-cuda", "lightgbm-opencl", "catboost"}


def test_ollama_answers_or_not() -> None:
    class Ollama(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"version": "0.9.1"}')

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Ollama) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert ollama_version(url) == "0.9.1"
        server.shutdown()
    assert ollama_version(url) == ""


def test_addresses_are_plain_text() -> None:
    for address in (lan_address(), tailscale_address()):
        assert address == "" or address.count(".") == 3
