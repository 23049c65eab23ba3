"""The processor of this machine: its name, and the instructions that decide how fast it multiplies."""

from __future__ import annotations

import platform
from pathlib import Path

from learners.training import precision

# Instructions for products, the fastest first; a processor with one of them mostly has those after it.
KNOWN = ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "avx", "bf16", "asimd")


def machine() -> str:
    """Name of the processor, from /proc/cpuinfo if there is one."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def instructions() -> str:
    """The instructions of this processor that are in `KNOWN`, such as "avx2 avx"; "unknown" if it lists none."""
    found = precision.processor().split()
    return " ".join(name for name in KNOWN if name in found) or "unknown"
