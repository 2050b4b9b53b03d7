"""The audit of the dependencies, before a small database of weaknesses."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

AUDIT = Path(__file__).resolve().parent.parent / "scripts" / "dev" / "audit"


class Weaknesses(http.server.BaseHTTPRequestHandler):
    """Knows one, of rich 1.0."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        weak = [{"vulns": [{"id": "X-1"}]} if each["version"] == "1.0" else {} for each in asked]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"results": weak}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), Weaknesses) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def audited(lock: str, service: str, folder: Path, *options: str) -> tuple[int, str]:
    (folder / "a.lock").write_text(lock)
    command = [sys.executable, AUDIT, "--lock", folder / "a.lock", "--service", service, *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout


def test_weaknesses_and_strays_are_told(service: str, tmp_path: Path) -> None:
    code, told = audited("not-here==1.0\n    # via x\nnot-there==2.0 ; os_name == 'nt'\n", service, tmp_path)
    assert code == 1
    assert "not-here 1.0: X-1" in told
    assert "not-there" not in told
    code, told = audited("rich==0.1\n", service, tmp_path)
    assert (code, "is installed; the lock says 0.1" in told) == (1, True)
    assert audited("rich>=1\n", service, tmp_path)[0] == 1


def test_without_a_network_it_says_so_and_goes_on(tmp_path: Path) -> None:
    code, told = audited("not-here==2.0\n", "http://127.0.0.1:9/", tmp_path)
    assert (code, "not asked" in told) == (0, True)
    assert audited("not-here==2.0\n", "http://127.0.0.1:9/", tmp_path, "--must-ask")[0] == 1
