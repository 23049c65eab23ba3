"""The dtype that suits the processor: `--dtype auto`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

CPUINFO = Path("/proc/cpuinfo")  # of Linux; elsewhere nothing is known, and float32 is never slow
# Instructions that multiply bfloat16: twice as fast as float32 (AVX-512 BF16) or more (AMX; `bf16` is ARM's name).
# Without them each number is converted on its way, and bfloat16 takes many times as long.
FAST = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def dtype_of_processor() -> Literal["float32", "bfloat16"]:
    """bfloat16 where the processor has products of its own for it, else float32."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "float32"
    told = (line.partition(":")[2].split() for line in lines if line.startswith(("flags", "Features")))
    return "bfloat16" if FAST.intersection(next(told, [])) else "float32"
