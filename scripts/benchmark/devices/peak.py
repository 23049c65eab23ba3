"""The best bfloat16 products of the device."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from benchmark.devices.case import Case, Found, timed


def measure(case: Case) -> Iterator[Found]:
    """Products of square matrices, in the dtype of the device."""
    yield Found(f"products in {case.dtype}", best(case) / 1e12, "TFLOP/s")


def best(case: Case) -> float:
    """FLOP/s of the best of some square products."""
    found = []
    for size in (512, 1024) if case.quick else (4096, 8192):
        a, b = (torch.randn(size, size, device=case.device).to(getattr(torch, case.dtype)) for _ in range(2))
        times = 3 if case.quick else 20

        _products(a, b, times)
        found.append(2 * size**3 * times / min(timed(case.device, _products, a, b, times)[0] for _ in range(3)))
    return max(found)


def _products(a: Tensor, b: Tensor, times: int) -> None:
    for _ in range(times):
        a @ b
