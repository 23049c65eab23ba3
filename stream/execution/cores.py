"""How many processes this machine, or the container that this process runs in, can run at the same time."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

WORKER_BYTES = 1 << 30  # a worker with its libraries, a small encoder and a fit: 1.0 to 1.1 GB
ROOT = Path("/")


def usual_workers(root: Path = ROOT) -> int:
    """Returns the default number of workers: one per core, but no more than the memory holds; at least 1.

    Args:
        root: Root of the file system, for tests.
    """
    memory = memory_limit(root)
    return cores(root) if memory is None else max(1, min(cores(root), memory // WORKER_BYTES))


def cores(root: Path = ROOT) -> int:
    """Returns the number of cores that this process may use: those that it may run on (affinity, cpusets), but no more
    than the processor time that its control groups grant it; at least 1.

    A container of two cores on a machine of 64 has a quota of 200 ms of processor time in each 100 ms.

    Args:
        root: Root of the file system, for tests.
    """
    shares = [*_quotas(root)]
    every = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([every, *(math.ceil(share) for share in shares)]))


def memory_limit(root: Path = ROOT) -> int | None:
    """Returns the bytes of memory that this process may use: those of the machine, or the limit of its control groups.
    None if neither is known.

    Args:
        root: Root of the file system, for tests.
    """
    found = [int(text) for text in _texts(root, "memory", "memory.max", "memory.limit_in_bytes") if text.isdecimal()]
    with suppress(ValueError, OSError, AttributeError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(found, default=None)


def _quotas(root: Path) -> Iterator[float]:
    """Yields the quota of each control group that has one, in cores."""
    for text in _texts(root, "cpu", "cpu.max", ""):
        quota, _, period = text.partition(" ")
        if quota.isdecimal() and period.isdecimal() and int(period):  # else "max": no quota
            yield int(quota) / int(period)
    pairs = (_texts(root, "cpu", "", f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    for quota, period in zip(*pairs, strict=False):
        if quota.isdecimal() and period.isdecimal() and int(period):  # -1: no quota
            yield int(quota) / int(period)


def _texts(root: Path, controller: str, second: str, first: str) -> Iterator[str]:
    """Yields the content of a file in each control group of this process, from the innermost one to the root.

    Args:
        controller: The controller that the file belongs to.
        second, first: Name of the file in version 2 and in version 1 of control groups; "" if not to be read.
    """
    groups = root / "sys" / "fs" / "cgroup"
    for line in _read(root / "proc" / "self" / "cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers:
            mounts, name = (groups, groups / "unified"), second
        elif controller in controllers.split(","):
            mounts, name = (groups / controllers, groups / controller), first
        else:
            continue
        mount = next((each for each in mounts if each.is_dir()), None)
        if not name or mount is None:
            continue
        inner = PurePosixPath("/", path).relative_to("/")
        # In a container, the file system may show only the container's own groups, at its top.
        for group in (inner, *inner.parents):
            if ".." not in group.parts and (text := _read(mount / group / name).strip()):
                yield text


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
