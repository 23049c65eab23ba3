"""What this machine multiplies: vendor and instructions of the processor, and the fastest dtype, `--dtype auto`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

CPUINFO = Path("/proc/cpuinfo")  # exists on Linux only; elsewhere we use float32, which is never slow
# Instructions that multiply bfloat16: twice as fast as float32 (AVX-512 BF16), or more (AMX; `bf16` on ARM). Without
# them the processor converts each number first, so bfloat16 is many times slower.
FAST = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
# Instructions that compute sums of products. Libraries choose kernels by them.
PRODUCTS = ("avx", "fma", "amx", "asimd", "bf16", "sve", "i8mm")


def processor() -> str:
    """Returns the vendor of this processor and its instructions for products, such as "AuthenticAMD avx avx2 fma"; ""
    where /proc/cpuinfo is missing."""
    vendor, features = _vendor_and_features()
    return " ".join([vendor, *sorted(feature for feature in features if feature.startswith(PRODUCTS))]).strip()


def dtype_of_processor() -> Literal["float32", "bfloat16"]:
    """bfloat16 if the processor has instructions that multiply it, else float32."""
    return "bfloat16" if FAST.intersection(_vendor_and_features()[1]) else "float32"


def dtype_of(device: str) -> Literal["float32", "bfloat16"]:
    """The dtype `auto` on a device: bfloat16 if it multiplies that fast, else float32.

    Args:
        device: Full name of the device.
    """
    if device == "cpu":
        return dtype_of_processor()
    import torch

    return "bfloat16" if device.startswith("cuda") and torch.cuda.get_device_capability(device) >= (8, 0) else "float32"


def slow_on_processor(dtype: str) -> bool:
    """Whether the processor is known to have no instructions for products of this dtype."""
    _, features = _vendor_and_features()
    return dtype == "bfloat16" and bool(features) and not FAST.intersection(features)


def _vendor_and_features() -> tuple[str, list[str]]:
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "", []

    def first(*names: str) -> str:
        return next((line.partition(":")[2].strip() for line in lines if line.startswith(names)), "")

    return first("vendor_id", "CPU implementer"), first("flags", "Features").split()
