"""The limit of this machine on one thread: matrix products in each dtype, and copies of memory."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

import torch

from benchmark.clock import clocked
from benchmark.measurement import Measurement
from benchmark.process import Contender
from benchmark.work import Work
from learners.backbones.backbone import load_backbone

DTYPES = ("float32", "bfloat16")
SECONDS = 0.15  # of one reading: long compared with the clock's resolution, short compared with changes of load


def product(shape: tuple[int, int, int], dtype: str) -> dict[str, float]:
    """FLOP/s of the product [rows, inner] x [inner, columns]; all results are written to the same tensor."""
    torch.set_num_threads(1)
    rows, inner, columns = shape
    kind = getattr(torch, dtype)
    a, b = torch.randn(rows, inner).to(kind), torch.randn(inner, columns).to(kind)
    out = torch.empty(rows, columns, dtype=kind)
    torch.mm(a, b, out=out)
    return {"rate": 2.0 * rows * inner * columns * _per_second(lambda: torch.mm(a, b, out=out))}


def copy(copied: int) -> dict[str, float]:
    """Bytes per second of copying `copied` bytes; bytes read and bytes written both count."""
    torch.set_num_threads(1)
    source = torch.zeros(copied, dtype=torch.uint8)
    target = torch.zeros_like(source)
    return {"rate": 2.0 * copied * _per_second(lambda: target.copy_(source))}


def _per_second(action: Any) -> float:
    count = 1
    while True:
        with clocked() as spent:
            for _ in range(count):
                action()
        if spent.seconds >= SECONDS:
            return count / spent.seconds
        count = max(2 * count, int(count * SECONDS / max(spent.seconds, 1e-6)))


def measure(work: Work) -> Iterator[Measurement]:
    """Measure products of square matrices and of the backbone's shapes, with all tokens of a batch at full length."""
    sizes, architecture = work.sizes, load_backbone(work.backbone).architecture
    tokens, d, f = sizes.batch_size * sizes.max_length, architecture.hidden, architecture.ffn
    shapes = {
        "square": (sizes.square,) * 3,
        "attention": (tokens, d, d),
        "feed-forward in": (tokens, d, f),
        "feed-forward out": (tokens, f, d),
    }
    asked = {
        (name, dtype): Contender(name, "limit", "benchmark.limit:product", {"shape": shape, "dtype": dtype})
        for name, shape in shapes.items()
        for dtype in DTYPES
    }
    memory = Contender("memory", "limit", "benchmark.limit:copy")
    rates: dict[tuple[str, str], list[float]] = {key: [] for key in asked}
    copies: list[float] = []
    for _ in range(sizes.repetitions):
        for key, contender in asked.items():
            rates[key].append(work.processes.ask(contender, {})["rate"] / 1e9)
        copies.append(work.processes.ask(memory, {"copied": sizes.copied})["rate"] / 1e9)
    for dtype in DTYPES:
        work.peak[dtype] = 1e9 * max(max(rates[name, dtype]) for name in shapes)  # other load only makes it slower
    for (name, dtype), values in rates.items():
        shape = "x".join(map(str, shapes[name]))
        share = 1e9 * median(values) / work.peak[dtype]
        yield Measurement("limit", f"{name} {shape}", dtype, "GFLOP/s", tuple(values), more=True, share=share)
    yield Measurement("limit", f"copy {sizes.copied >> 20} MiB", "memory", "GB/s", tuple(copies), more=True)
