"""What this machine can do. `python -m flowml.runner.probe` prints it as JSON.

A worker asks in a process of its own: nothing that the probe loads, starts or breaks stays with the worker.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import re
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from flowml.runner import gpu
from flowml.runner.addresses import OLLAMA_URL, lan_address, ollama_version, tailscale_address
from flowml.runner.limits import allowance
from flowml.storage.errors import NotReady
from flowml.storage.records import Capabilities

VERSIONS = (
    "flowml-studio",
    "lightgbm",
    "xgboost",
    "catboost",
    "scikit-learn",
    "optuna",
    "onnx",
    "onnxruntime",
    "polars",
)
TIMEOUT_S = 180.0


def probe(ollama_url: str = OLLAMA_URL) -> Capabilities:
    """Look in a child process; NotReady when the child fails."""
    command = [sys.executable, "-m", "flowml.runner.probe", "--ollama", ollama_url]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise NotReady(
            f"The probe of this machine did not end within {TIMEOUT_S:.0f} s.",
            "A GPU driver may hang: try with CUDA_VISIBLE_DEVICES set to an empty text.",
        ) from error
    if child.returncode != 0:
        said = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise NotReady(
            f"The probe of this machine failed with exit code {child.returncode}: {said}.",
            f"Run `{Path(sys.executable).name} -m flowml.runner.probe` to see all of it.",
        )
    return Capabilities.from_dict(json.loads(child.stdout))


def look(ollama_url: str = OLLAMA_URL) -> Capabilities:
    """The probe itself, in this process."""
    limits, cards = allowance(), gpu.cards()
    logical = psutil.cpu_count() or limits.cpus
    return Capabilities(
        cpu_model=cpu_model(),
        cores_logical=logical,
        cores_physical=psutil.cpu_count(logical=False) or logical,
        cpus=limits.cpus,
        cpu_mhz=cpu_mhz(),
        ram_total=limits.ram_total,
        ram_available=limits.ram_available,
        gpus=cards.gpus,
        gpu_reason=cards.reason,
        driver=cards.driver,
        cuda=cards.cuda,
        gpu_libraries=gpu.prove() if cards.gpus else {},
        os=platform.platform(),
        python=platform.python_version(),
        versions=versions(),
        hostname=socket.gethostname(),
        lan_address=lan_address(),
        tailscale_address=tailscale_address(),
        ollama=ollama_version(ollama_url),
        limits=limits.source,
    )


def cpu_model() -> str:
    if sys.platform == "linux":
        found = re.search(
            r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M
        )
        if found:
            return found.group(1).strip()
    if sys.platform == "darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor() or platform.machine()


def cpu_mhz() -> float | None:
    """The highest frequency where the system tells it, else the present one; None in some containers."""
    frequency = psutil.cpu_freq()
    return None if frequency is None else round(float(frequency.max or frequency.current), 0) or None


def versions() -> dict[str, str]:
    """From the packages' metadata, without importing them."""
    found = {}
    for name in VERSIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = ""
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="flowml.runner.probe", description="Print what this machine can do as JSON."
    )
    parser.add_argument("--ollama", default=OLLAMA_URL)
    sys.stdout.write(json.dumps(look(parser.parse_args().ollama).to_dict()) + "\n")


if __name__ == "__main__":
    main()
