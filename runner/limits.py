"""What this process may really use.

Neither psutil nor os.cpu_count knows of a CPU affinity, a cgroup quota, or a limit of memory that a cgroup or
ulimit sets; a lane that believes them starts too many threads and is killed for memory. A limit may sit on
any ancestor of our cgroup.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
UNLIMITED_V1 = 1 << 60  # cgroup v1 spells "no limit" as a number near 2^63


@dataclass(frozen=True)
class Allowance:
    cpus: int  # whole cores that may be kept busy, at least 1
    ram_total: int
    ram_available: int
    source: str  # the tightest limits came from: none, affinity, ulimit, cgroup v1, cgroup v2


@dataclass(frozen=True)
class Group:
    """What one cgroup allows; None where it sets no limit."""

    cpus: float | None = None
    memory: int | None = None
    memory_free: int | None = None


def allowance(root: Path = CGROUPS, membership: Path = MEMBERSHIP) -> Allowance:
    version, groups = read_groups(root, membership)
    machine = psutil.virtual_memory()
    cores = os.cpu_count() or 1
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    quota = min((g.cpus for g in groups if g.cpus is not None), default=math.inf)
    # A quota of 1.5 cores is served best by two threads, so it is rounded up.
    cpus = max(1, affinity if quota >= affinity else math.ceil(quota))
    total = min([machine.total, *(g.memory for g in groups if g.memory is not None)])
    free = min([machine.available, *(g.memory_free for g in groups if g.memory_free is not None)])
    limited = quota < affinity or total < machine.total
    source = f"cgroup {version}" if limited else "affinity" if affinity < cores else "none"
    most = _address_space()
    if most < total:
        total, free, source = most, min(free, most), "ulimit"
    return Allowance(cpus, int(total), max(0, int(free)), source)


def _address_space() -> float:
    """Bytes that one process may have, as `ulimit -v` sets it; children inherit it."""
    try:
        import resource
    except ImportError:  # not on Windows
        return math.inf
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return math.inf if soft == resource.RLIM_INFINITY else soft


def read_groups(root: Path = CGROUPS, membership: Path = MEMBERSHIP) -> tuple[str, tuple[Group, ...]]:
    """The cgroup version and every group this process is in, own one first; ('', ()) where there is none."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:  # no cgroups on this system
        return "", ()
    if (root / "cgroup.controllers").exists():
        path = next((line[3:] for line in lines if line.startswith("0::")), "/")
        return "v2", tuple(_group_v2(folder) for folder in _ancestors(root, path))
    groups: list[Group] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            reader = READERS_V1.get(controller)
            base = next((root / name for name in (controller, controllers) if (root / name).is_dir()), None)
            if reader and base:
                groups += [reader(folder) for folder in _ancestors(base, path)]
    return "v1", tuple(groups)


def _ancestors(base: Path, path: str) -> Iterator[Path]:
    """The folder of `path` under `base` and those above it; only `base` where a container hides the path."""
    folder = base / path.lstrip("/")
    while folder != base and base in folder.parents:
        if folder.is_dir():
            yield folder
        folder = folder.parent
    yield base


def _group_v2(folder: Path) -> Group:
    quota, _, period = (_text(folder / "cpu.max") or "max 100000").partition(" ")
    limits = [_number(folder / name) for name in ("memory.max", "memory.high")]
    memory = min((limit for limit in limits if limit is not None), default=None)
    cpus = None if quota == "max" else int(quota) / int(period or 100000)
    return Group(cpus, memory, _free(memory, _number(folder / "memory.current"), folder, "inactive_file"))


def _cpu_v1(folder: Path) -> Group:
    quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return Group(cpus=quota / period) if quota and period and quota > 0 else Group()


def _memory_v1(folder: Path) -> Group:
    limit = _number(folder / "memory.limit_in_bytes")
    if limit is None or limit >= UNLIMITED_V1:
        return Group()
    used = _number(folder / "memory.usage_in_bytes")
    return Group(memory=limit, memory_free=_free(limit, used, folder, "total_inactive_file"))


READERS_V1 = {"cpu": _cpu_v1, "memory": _memory_v1}


def _free(limit: int | None, used: int | None, folder: Path, reclaimable: str) -> int | None:
    """What is left below the limit; file pages that the kernel would drop first count as free."""
    if limit is None or used is None:
        return None
    rows = (line.split() for line in (_text(folder / "memory.stat") or "").splitlines())
    cache = next((int(row[1]) for row in rows if row[0] == reclaimable), 0)
    return max(0, limit - max(0, used - cache))


def _number(file: Path) -> int | None:
    text = _text(file)
    return None if text is None or text == "max" else int(text)


def _text(file: Path) -> str | None:
    try:
        return file.read_text().strip()
    except OSError:  # absent, or not ours to read: no limit known from here
        return None
