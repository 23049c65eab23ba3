"""Memory of this process: its highest resident size over a fit."""

from __future__ import annotations

import ctypes
import gc
import resource
from pathlib import Path


def reset_peak_memory() -> None:
    """Give freed memory back and begin a new high-water mark of this process, where the system can (Linux)."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # or the heap of earlier fits would count as this one's
        Path("/proc/self/clear_refs").write_text("5")
    except (OSError, AttributeError):
        return  # then `peak_memory` speaks of the process since its start


def peak_memory() -> int:
    """Highest resident memory of this process in bytes, since `reset_peak_memory` where that works."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
