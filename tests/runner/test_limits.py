"""Limits are read where the kernel keeps them: on real files of both cgroup versions, in a drawn tree."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from flowml.runner.limits import Group, allowance, read_groups

MIB = 2**20


def draw(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")


def test_version_2_takes_the_tightest_ancestor(tmp_path: Path) -> None:
    draw(
        tmp_path,
        {
            "proc": "0::/team/job",
            "fs/cgroup.controllers": "cpu memory",
            "fs/team/cpu.max": "100000 100000",
            "fs/team/memory.max": str(2048 * MIB),
            "fs/team/memory.current": str(600 * MIB),
            "fs/team/memory.stat": f"anon 1\ninactive_file {100 * MIB}",
            "fs/team/job/cpu.max": "max 100000",
            "fs/team/job/memory.max": "max",
        },
    )
    found = allowance(tmp_path / "fs", tmp_path / "proc")
    assert (found.cpus, found.ram_total, found.ram_available) == (1, 2048 * MIB, 1548 * MIB)
    assert found.source == "cgroup v2"


def test_version_1_reads_quota_and_memory(tmp_path: Path) -> None:
    draw(
        tmp_path,
        {
            "proc": "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/",
            "fs/cpu/docker/abc/cpu.cfs_quota_us": "150000",
            "fs/cpu/docker/abc/cpu.cfs_period_us": "100000",
            "fs/memory/docker/abc/memory.limit_in_bytes": str(1024 * MIB),
            "fs/memory/docker/abc/memory.usage_in_bytes": str(24 * MIB),
            "fs/memory/docker/abc/memory.stat": "total_inactive_file 0",
            "fs/memory/memory.limit_in_bytes": "9223372036854771712",
        },
    )
    version, groups = read_groups(tmp_path / "fs", tmp_path / "proc")
    assert version == "v1"
    assert Group(cpus=1.5) in groups
    assert Group(memory=1024 * MIB, memory_free=1000 * MIB) in groups
    assert allowance(tmp_path / "fs", tmp_path / "proc").ram_available == 1000 * MIB


def test_a_container_that_hides_its_path_is_read_at_the_root(tmp_path: Path) -> None:
    draw(
        tmp_path,
        {
            "proc": "4:memory:/not/visible/here",
            "fs/memory/memory.limit_in_bytes": str(512 * MIB),
            "fs/memory/memory.usage_in_bytes": "0",
        },
    )
    assert allowance(tmp_path / "fs", tmp_path / "proc").ram_total == 512 * MIB


def test_without_cgroups_the_machine_is_the_limit(tmp_path: Path) -> None:
    found = allowance(tmp_path, tmp_path / "absent")
    assert found.cpus == len(os.sched_getaffinity(0))
    assert 0 < found.ram_available <= found.ram_total


def test_an_affinity_to_one_core_is_honoured() -> None:
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(mine)})
    try:
        assert allowance().cpus == 1
    finally:
        os.sched_setaffinity(0, mine)


def test_a_limit_of_what_a_process_may_have_is_honoured() -> None:
    tell = "from flowml.runner.limits import allowance; found = allowance(); "
    tell += "print(found.ram_total, found.ram_available <= found.ram_total, found.source)"
    limited = ["sh", "-c", 'ulimit -S -v 1048576 && exec "$0" -c "$1"', sys.executable, tell]
    said = subprocess.run(limited, capture_output=True, text=True, check=True).stdout.split()
    assert said == [str(1024 * MIB), "True", "ulimit"]
