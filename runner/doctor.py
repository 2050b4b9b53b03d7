"""CHECKS: what FlowML needs of a machine, each looked at for real, with advice where something is missing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from flowml.runner.connection import connect, masked, reachable
from flowml.runner.embedded import find_server
from flowml.runner.probe import probe
from flowml.runner.settings import Settings
from flowml.runner.tiers import queues_for
from flowml.storage.errors import FlowMLError
from flowml.storage.records import Capabilities, Record

LEAST_PYTHON = (3, 11)
LEAST_RAM = 2 * 2**30
LIBRARIES = ("sklearn", "xgboost", "catboost", "optuna", "onnx", "onnxruntime", "polars", "duckdb")
IMPORT_TIMEOUT_S = 120.0
IMPORT_EACH = "import sys\nfor name in sys.argv[1:]:\n    print(name, flush=True)\n    __import__(name)"
REINSTALL = "Install FlowML again in a new environment."
OPENMP_ADVICE = {
    "linux": "Install OpenMP: `apt-get install libgomp1` (Debian, Ubuntu) or `dnf install libgomp` (Fedora).",
    "darwin": "Install OpenMP: `brew install libomp`.",
}


class Health(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Diagnosis(Record):
    check: str
    health: Health
    text: str
    advice: str = ""


@dataclass(frozen=True)
class Check:
    name: str
    look: Callable[[Settings], tuple[Health, str, str]]  # health, what was seen, what to do
    of_worker: bool = True  # whether a machine that only works needs it


def examine(settings: Settings, worker: bool = False) -> tuple[Diagnosis, ...]:
    """All checks side by side, in the order of the table; the ones that matter to a worker, if asked."""
    checks = [check for check in CHECKS if check.of_worker or not worker]
    with ThreadPoolExecutor(len(checks)) as pool:
        return tuple(pool.map(lambda check: diagnose(check, settings), checks))


def diagnose(check: Check, settings: Settings) -> Diagnosis:
    try:
        return Diagnosis(check.name, *check.look(settings))
    except FlowMLError as error:
        return Diagnosis(check.name, Health.FAIL, error.message, error.advice)


def _python(_settings: Settings) -> tuple[Health, str, str]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < LEAST_PYTHON:
        return Health.FAIL, f"{version} is too old", "Install Python 3.11 or newer."
    return Health.OK, f"{version} in {sys.prefix}", ""


def _lightgbm(_settings: Settings) -> tuple[Health, str, str]:
    trouble = import_trouble("lightgbm")
    if "gomp" in trouble or "libomp" in trouble:
        advice = OPENMP_ADVICE.get(sys.platform, "Install the OpenMP library of this system.")
        return Health.FAIL, trouble, advice
    if trouble:
        return Health.FAIL, trouble, REINSTALL
    return Health.OK, "LightGBM and its OpenMP library load", ""


def _libraries(_settings: Settings) -> tuple[Health, str, str]:
    trouble = import_trouble(*LIBRARIES)
    return (Health.FAIL, trouble, REINSTALL) if trouble else (Health.OK, f"{', '.join(LIBRARIES)} load", "")


def import_trouble(*modules: str) -> str:
    """Import in a process of its own, which a broken library may end. Empty when all of them load."""
    command = [sys.executable, "-c", IMPORT_EACH, *modules]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"{', '.join(modules)} did not load within {IMPORT_TIMEOUT_S:.0f} s"
    if child.returncode == 0:
        return ""
    said = child.stderr.strip().splitlines() or [f"the process ended with code {child.returncode}"]
    return f"{child.stdout.split()[-1]} does not load: {said[-1]}"


def _redis(settings: Settings) -> tuple[Health, str, str]:
    if not settings.redis_url:
        return Health.OK, f"FlowML starts its own: {find_server()}", ""
    client = connect(settings.redis_url)
    try:
        with reachable():
            client.ping()
    finally:
        client.close()
    return Health.OK, f"{masked(settings.redis_url)} answers", ""


def _data_folder(settings: Settings) -> tuple[Health, str, str]:
    folder = settings.home
    present = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not (present.is_dir() and os.access(present, os.W_OK | os.X_OK)):
        advice = "Give this user the right to write there, or set FLOWML_HOME to another folder."
        return Health.FAIL, f"{folder} cannot be written", advice
    return Health.OK, f"{folder} {'is' if folder.exists() else 'can be made and is'} writable", ""


def _port(settings: Settings) -> tuple[Health, str, str]:
    try:
        socket.create_server((settings.host, settings.port)).close()
    except OSError as error:
        advice = "If that is the studio, all is well; else choose another port with --port or FLOWML_PORT."
        return Health.WARN, f"{settings.host}:{settings.port} is taken ({error.strerror})", advice
    return Health.OK, f"{settings.host}:{settings.port} is free", ""


def _machine(settings: Settings) -> tuple[Health, str, str]:
    found = probe(settings.ollama_url)
    text = (
        f"{found.cpu_model}, {found.cpus} of {found.cores_logical} cores usable, "
        f"{found.ram_available / 2**30:.1f} of {found.ram_total / 2**30:.1f} GiB free; {_gpus(found)}; "
        f"serves {', '.join(queues_for(found))}"
    )
    if found.ram_total < LEAST_RAM:
        return Health.WARN, text, "Less than 2 GiB of memory: use small tables."
    if found.gpus and "" not in found.gpu_libraries.values():
        reasons = "; ".join(f"{name}: {reason}" for name, reason in found.gpu_libraries.items())
        return Health.WARN, text, f"No library trains on the GPU ({reasons}). Update the NVIDIA driver."
    return Health.OK, text, ""


def _gpus(found: Capabilities) -> str:
    if not found.gpus:
        return f"no GPU ({found.gpu_reason})"
    cards = ", ".join(f"{gpu.name} with {gpu.vram_total / 2**30:.0f} GiB" for gpu in found.gpus)
    working = [name for name, reason in found.gpu_libraries.items() if not reason]
    return f"{cards} (used by {', '.join(working) or 'no library'})"


CHECKS: tuple[Check, ...] = (
    Check("python", _python),
    Check("lightgbm", _lightgbm),
    Check("libraries", _libraries),
    Check("machine", _machine),
    Check("redis", _redis),
    Check("data folder", _data_folder, of_worker=False),
    Check("port", _port, of_worker=False),
)


def healthy(diagnoses: tuple[Diagnosis, ...]) -> bool:
    return all(diagnosis.health is not Health.FAIL for diagnosis in diagnoses)
