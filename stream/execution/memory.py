"""Peak memory of this process during a fit."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")  # exists on Linux only


def resident_memory() -> int:
    """Returns the resident memory of this process in bytes; 0 where the system does not say (Linux says it)."""
    try:
        lines = STATUS.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
    except (OSError, StopIteration):
        return 0


def reset_peak_memory() -> None:
    """Returns freed memory to the system and resets the peak memory of this process, if the system can (Linux)."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # else freed memory of earlier fits would count for this one
        Path("/proc/self/clear_refs").write_text("5")
    except (OSError, AttributeError):
        return  # then `peak_memory` gives the peak since the process started


def peak_memory() -> int:
    """Returns the highest resident memory of this process in bytes, since `reset_peak_memory` if the system can reset
    it, else since the process started."""
    try:
        lines = STATUS.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
