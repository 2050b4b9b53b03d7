"""A studio, a worker, a training and a browser in a network of their own that has only loopback.

    unshare --map-root-user --net python offline.py FOLDER [CHROMIUM]

Writes FOLDER/told.json: what happened, and what any process tried to send elsewhere. The kernel counts what
has no route (`OutNoRoutes`), whichever program and library it comes from; in Python an audit hook notes the
address of each connection as well.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from flowml.ui.client import Studio
from flowml.ui.navigation import PAGES

NOTES = "connections"  # in the folder: one file a process
# Loaded by each Python that starts with its folder in PYTHONPATH.
RECORDER = """
import json, os, sys
notes = os.open(os.environ["NOTES"] + f"/{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
WATCHED = {
    "socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1, "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0, "socket.gethostbyaddr": 0,
}
def heard(event, details):
    if event in WATCHED:
        to = details[WATCHED[event]]
        to = to[0] if isinstance(to, tuple) else to
        line = json.dumps([event, to if isinstance(to, (str, int, type(None))) else to.decode()])
        os.write(notes, line.encode() + b"\\n")
sys.addaudithook(heard)
"""
ROWS = [
    "petals,height,kind",
    *(f"{i % 7 + i % 3 * 4},{i % 11}.5,{('iris', 'lily', 'rose')[i % 3]}" for i in range(90)),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]


def open_loopback() -> None:
    """A new network has its loopback interface switched off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(
            any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40)
        )  # SIOCSIFFLAGS: up, running


def unrouted() -> int:
    """How often any process of this network has tried to reach another."""
    names, values = (line.split()[1:] for line in Path("/proc/net/snmp").read_text().splitlines()[:2])
    six = dict(line.split() for line in Path("/proc/net/snmp6").read_text().splitlines())
    return int(dict(zip(names, values, strict=True))["OutNoRoutes"]) + int(six.get("Ip6OutNoRoutes", 0))


def started(folder: Path) -> subprocess.Popen[str]:
    (folder / "sitecustomize.py").write_text(RECORDER)
    (folder / NOTES).mkdir()
    own = {"PYTHONPATH": str(folder), "NOTES": str(folder / NOTES)}
    program, home = Path(sys.executable).with_name("flowml"), folder / "home"
    command = [program, "up", "--port", "0", "--data-dir", home]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | own)


def work(studio: Studio, folder: Path) -> dict[str, Any]:
    """A table goes in, models are trained, the best is asked and taken along."""
    (folder / "flowers.csv").write_text("\n".join(ROWS))
    dataset = studio.upload(folder / "flowers.csv")
    wishes = {"model_types": ["logistic", "lightgbm"], "n_trials_per_model": 1}
    job = studio.wait(studio.train(dataset.id, "kind", time_budget=4, **wishes), show=False)
    if job.champion:
        studio.predict(job.champion, {"petals": 3, "height": 2.5})
        studio.download(job.champion, folder / "model.zip", format="package")
    named = {"dataset": dataset.id, "job": job.id, "model": job.champion}
    return {"status": job.status, "cause": job.cause, **named}


def tour(url: str, chromium: str, about: dict[str, Any]) -> dict[str, Any]:
    """Each page in a browser: what it asked for that is not the studio's."""
    own = (url, url.replace("http", "ws", 1), "data:", "blob:")
    foreign: list[str] = []
    seen: list[str] = []
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=FLAGS) as browser,
    ):
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda asked: None if asked.url.startswith(own) else foreign.append(asked.url))
        query = "&".join(f"{name}={about[name]}" for name in ("dataset", "job", "model"))
        for row in PAGES:
            page.goto(f"{url}/{row.path}?{query}")
            page.locator("[data-test-script-state=notRunning] h1").first.wait_for()
            seen.append(row.key)
        page.goto(f"{url}/api/docs")
        page.locator(".opblock").first.wait_for()
    return {"foreign": foreign, "seen": seen}


def main(folder: Path, chromium: str = "") -> None:
    open_loopback()
    process = started(folder)
    told: dict[str, Any] = {}
    try:
        assert process.stdout is not None
        url = next(line.split()[-1] for line in process.stdout if "http://" in line)
        with Studio(url) as studio:
            told |= work(studio, folder)
        told["unrouted"] = unrouted()
        if chromium:
            told |= tour(url, chromium, told)
    finally:
        process.terminate()
        told["exit"] = process.wait(100)
    notes = {path.name: path.read_text().splitlines() for path in (folder / NOTES).iterdir()}
    told["connections"] = {pid: [json.loads(line) for line in lines] for pid, lines in notes.items()}
    (folder / "told.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
