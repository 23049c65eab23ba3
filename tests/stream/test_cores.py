"""Cores and memory that a process may use: those of its control groups, of both versions, in and out of containers."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import stream.execution.memory
from stream.execution.cores import WORKER_BYTES, cores, memory_limit, usual_workers
from stream.execution.workers import Workers, waiting_workers

MACHINE, PAGES = 64, 1 << 24  # cores, and pages of 4096 bytes: 64 GiB
GIB = 1 << 30
V1 = "12:pids:/docker/abc\n4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n1:name=systemd:/\n"
HUGE = str(2**63 - 4096)  # what version 1 writes for no limit

# Lines of /proc/self/cgroup; files below /sys/fs/cgroup; cores; memory in GiB.
WORLDS: dict[str, tuple[str, dict[str, str], int, int]] = {
    "no control groups": ("", {}, 64, 64),
    "version 2, no limit": ("0::/\n", {"cpu.max": "max 100000\n", "memory.max": "max\n"}, 64, 64),
    "version 2, a container": ("0::/\n", {"cpu.max": "200000 100000\n", "memory.max": f"{4 * GIB}\n"}, 2, 4),
    "version 2, a part of a core": ("0::/\n", {"cpu.max": "50000 100000\n"}, 1, 64),
    "version 2, one core and a half": ("0::/\n", {"cpu.max": "150000 100000\n"}, 2, 64),
    "version 2, the limit of a parent": (
        "0::/machine.slice/box.scope/init\n",
        {"machine.slice/box.scope/cpu.max": "300000 100000", "machine.slice/box.scope/init/cpu.max": "max 100000",
         "machine.slice/memory.max": str(8 * GIB), "machine.slice/box.scope/memory.max": str(16 * GIB)},
        3, 8,
    ),
    "version 2, a group outside of the container": ("0::/../other\n", {"cpu.max": "400000 100000"}, 4, 64),
    "version 1, a container": (
        V1,  # its own group is mounted at the top
        {"cpu,cpuacct/cpu.cfs_quota_us": "200000\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
         "memory/memory.limit_in_bytes": f"{2 * GIB}\n"},
        2, 2,
    ),
    "version 1, on the host": (
        V1,
        {"cpu/docker/abc/cpu.cfs_quota_us": "500000", "cpu/docker/abc/cpu.cfs_period_us": "100000",
         "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000",
         "memory/docker/abc/memory.limit_in_bytes": HUGE},
        5, 64,
    ),
    "version 1, no limit": (
        V1, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000",
             "memory/memory.limit_in_bytes": HUGE}, 64, 64,
    ),
    "both versions": (
        f"{V1}0::/\n",
        {"cpu/cpu.cfs_quota_us": "600000", "cpu/cpu.cfs_period_us": "100000", "unified/cpu.max": "max 100000",
         "memory/memory.limit_in_bytes": str(32 * GIB)},
        6, 32,
    ),
    "nonsense": ("a\n0:\n::/\n", {"cpu.max": "many", "memory.max": "-5"}, 64, 64),
}  # fmt: skip


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 64 cores and 64 GiB."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(MACHINE)), raising=False)
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": PAGES, "SC_PAGE_SIZE": 4096}.__getitem__)


def world(name: str, root: Path) -> Path:
    lines, files, _, _ = WORLDS[name]
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "cgroup").write_text(lines)
    for file, text in files.items():
        path = root / "sys" / "fs" / "cgroup" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize("name", WORLDS)
def test_the_limits_of_control_groups(name: str, machine: None, tmp_path: Path) -> None:
    root, (_, _, expected, memory) = world(name, tmp_path), WORLDS[name]
    assert (cores(root), memory_limit(root)) == (expected, memory * GIB)
    assert usual_workers(root) == min(expected, memory * GIB // WORKER_BYTES)


def test_fewer_cores_by_affinity_and_never_none(machine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = world("version 2, the limit of a parent", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {7}, raising=False)  # a cpuset, or taskset
    assert cores(root) == 1
    monkeypatch.delattr(os, "sched_getaffinity")  # macOS
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores(tmp_path / "nothing") == 1
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 1, "SC_PAGE_SIZE": 4096}.__getitem__)
    assert usual_workers(tmp_path / "nothing") == 1


def test_a_run_starts_no_more_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    started = list[Any]()
    monkeypatch.setattr("stream.execution.workers.usual_workers", lambda: 2)
    monkeypatch.setattr("stream.execution.workers.start_worker", started.append)
    monkeypatch.setattr(Workers, "end", lambda self: None)
    with waiting_workers() as workers:
        assert (workers.count, len(started)) == (2, 2)


@pytest.mark.parametrize(("platform", "size"), [("darwin", 5), ("linux", 5 * 1024), ("freebsd14", 5 * 1024)])
def test_peak_memory_is_in_bytes_on_every_system(platform: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ru_maxrss` is in bytes on macOS and in kilobytes elsewhere; only Linux has /proc."""
    monkeypatch.setattr(stream.execution.memory, "STATUS", Path("/nowhere"))
    monkeypatch.setattr(stream.execution.memory.sys, "platform", platform)
    monkeypatch.setattr(resource, "getrusage", lambda who: SimpleNamespace(ru_maxrss=5))
    assert stream.execution.memory.peak_memory() == size


def test_peak_memory_here() -> None:
    block = bytearray(os.urandom(1)) * (64 << 20)
    assert len(block) < stream.execution.memory.peak_memory() < 1 << 40
