"""The fastest dtype on this processor: `--dtype auto`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

CPUINFO = Path("/proc/cpuinfo")  # exists on Linux only; elsewhere we use float32, which is never slow
# Instructions that multiply bfloat16: twice as fast as float32 (AVX-512 BF16), or more (AMX; `bf16` on ARM). Without
# them the processor converts each number first, so bfloat16 is many times slower.
FAST = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def dtype_of_processor() -> Literal["float32", "bfloat16"]:
    """bfloat16 if the processor has instructions that multiply it, else float32."""
    return "bfloat16" if FAST.intersection(_features()) else "float32"


def slow_on_processor(dtype: str) -> bool:
    """Whether the processor is known to have no instructions for products of this dtype."""
    features = _features()
    return dtype == "bfloat16" and bool(features) and not FAST.intersection(features)


def _features() -> list[str]:
    """Names of the instruction sets of the processor; empty if they are not known."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return next((line.partition(":")[2].split() for line in lines if line.startswith(("flags", "Features"))), [])
