"""The GPUs of this machine, and which libraries really train on them.

The driver is asked through NVML, which makes no CUDA context and so is safe anywhere. A library is believed
only after a tiny fit in a process of its own: wheels may lack CUDA or the card's architecture, XGBoost falls
back to the CPU with a mere warning, and a crash of the driver must not reach us.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from flowml.storage.records import Gpu, GpuLoad

PROOF_TIMEOUT_S = 120.0

log = logging.getLogger(__name__)

Value = TypeVar("Value")


@dataclass(frozen=True)
class Cards:
    gpus: tuple[Gpu, ...] = ()
    driver: str = ""
    cuda: str = ""
    reason: str = ""  # why no GPU is listed


def cards(environ: Mapping[str, str] = os.environ) -> Cards:
    """What NVML lists, less what CUDA_VISIBLE_DEVICES hides (NVML does not know of it)."""
    try:
        import pynvml as nvml
    except ImportError:
        return Cards(reason="the package nvidia-ml-py is not installed")
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return Cards(reason=f"no NVIDIA driver answers ({error})")
    try:
        found = tuple(_card(nvml, index) for index in range(nvml.nvmlDeviceGetCount()))
        version = nvml.nvmlSystemGetCudaDriverVersion_v2()
        driver, cuda = _text(nvml.nvmlSystemGetDriverVersion()), f"{version // 1000}.{version % 1000 // 10}"
        seen = visible(found, environ.get("CUDA_VISIBLE_DEVICES"))
        reason = "" if seen else "CUDA_VISIBLE_DEVICES hides all GPUs" if found else "the driver lists no GPU"
        return Cards(seen, driver, cuda, reason)
    finally:
        nvml.nvmlShutdown()


def loads(gpus: tuple[Gpu, ...]) -> tuple[GpuLoad, ...]:
    """How these cards are right now; of none that cannot be asked."""
    if not gpus:
        return ()
    try:
        import pynvml as nvml

        nvml.nvmlInit()  # counts: the driver stays loaded between two calls
    except Exception as error:  # whatever is wrong with a driver, the worker goes on
        log.debug("The GPUs cannot be asked: %s", error)
        return ()
    return tuple(_load(nvml, gpu) for gpu in gpus)


def _load(nvml: Any, gpu: Gpu) -> GpuLoad:
    handle = _asked(nvml, lambda: nvml.nvmlDeviceGetHandleByIndex(gpu.index), None)
    if handle is None:
        return GpuLoad(gpu.index)
    celsius = nvml.NVML_TEMPERATURE_GPU
    return GpuLoad(
        gpu.index,
        _asked(nvml, lambda: float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu), None),
        _asked(nvml, lambda: int(nvml.nvmlDeviceGetMemoryInfo(handle).used), 0),
        _asked(nvml, lambda: float(nvml.nvmlDeviceGetTemperature(handle, celsius)), None),
    )


def visible(found: tuple[Gpu, ...], setting: str | None) -> tuple[Gpu, ...]:
    """What CUDA would show: all without the setting, else those it lists, up to the first unknown one."""
    if setting is None:
        return found
    shown: list[Gpu] = []
    for name in (part.strip() for part in setting.split(",")):
        match = next((g for g in found if name and (name == str(g.index) or g.uuid.startswith(name))), None)
        if match is None:
            break
        shown.append(match)
    return tuple(shown)


def _card(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    return Gpu(
        index=index,
        name=_text(nvml.nvmlDeviceGetName(handle)),
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        vram_total=int(memory.total),
        vram_free=int(memory.free),
        compute_capability=_asked(
            nvml, lambda: "{}.{}".format(*nvml.nvmlDeviceGetCudaComputeCapability(handle)), ""
        ),
        mig=_asked(nvml, lambda: nvml.nvmlDeviceGetMigMode(handle)[0] == 1, False),
    )


def _asked(nvml: Any, question: Callable[[], Value], otherwise: Value) -> Value:
    """Older cards do not know every question."""
    try:
        return question()
    except nvml.NVMLError:
        return otherwise


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


# --- proofs -----------------------------------------------------------------------------------------------


def _table() -> tuple[Any, Any]:
    import numpy as np

    x = np.random.default_rng(0).random((400, 4), dtype=np.float32)
    return x, (x[:, 0] > 0.5).astype(int)


def _xgboost() -> None:
    import xgboost

    model = xgboost.XGBClassifier(device="cuda", n_estimators=2, max_depth=2).fit(*_table())
    device = json.loads(model.get_booster().save_config())["learner"]["generic_param"]["device"]
    if not device.startswith("cuda"):
        built = xgboost.build_info().get("CUDA_VERSION", "none")
        raise RuntimeError(f"it fell back to {device}: no usable CUDA device for its CUDA version {built}")


def _lightgbm(device: str) -> None:
    import lightgbm

    lightgbm.LGBMClassifier(device_type=device, n_estimators=2, num_leaves=4, verbose=-1).fit(*_table())


def _catboost() -> None:
    import catboost

    catboost.CatBoostClassifier(
        task_type="GPU", devices="0", iterations=2, depth=2, verbose=0, allow_writing_files=False
    ).fit(*_table())


PROOFS: dict[str, Callable[[], None]] = {
    "xgboost": _xgboost,
    "lightgbm-cuda": lambda: _lightgbm("cuda"),
    "lightgbm-opencl": lambda: _lightgbm("gpu"),
    "catboost": _catboost,
}


def prove(libraries: tuple[str, ...] = tuple(PROOFS), timeout_s: float = PROOF_TIMEOUT_S) -> dict[str, str]:
    """Per library: empty where a fit on the GPU succeeded, else why not. All run at once."""
    started = {name: _start_proof(name) for name in libraries}
    deadline = time.monotonic() + timeout_s
    return {name: _verdict(child, deadline - time.monotonic()) for name, child in started.items()}


def _start_proof(name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flowml.runner.gpu", name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _verdict(child: subprocess.Popen[str], timeout_s: float) -> str:
    try:
        said, _ = child.communicate(timeout=max(0.0, timeout_s))
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return "the fit did not end in time"
    if child.returncode == 0:
        return ""
    if child.returncode < 0:
        return f"the fit was killed by signal {-child.returncode}"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:300] if lines else f"the fit ended with exit code {child.returncode}"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    PROOFS[sys.argv[1]]()
