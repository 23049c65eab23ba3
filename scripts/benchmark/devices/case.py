"""What the parts of the benchmark of a device share: the device, sizes, encoders and tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from experiments.encoders import save_random

from benchmark.rows import opened
from learners.backbones.backbone import Backbone, load_backbone, placed
from learners.training.precision import dtype_of
from tasks.encode import encode
from tasks.encoded import EncodedTask
from tasks.examples import Limits
from tasks.home import cache_folder
from tasks.sources import open_source
from tasks.suite import SUITES

MINILM, BERT = {"num_hidden_layers": 6, "hidden_size": 384}, {"num_hidden_layers": 12, "hidden_size": 768}


class Found(NamedTuple):
    """One result. `value` is a number in `unit`; a check has 1.0 if it holds."""

    case: str
    value: float
    unit: str
    note: str = ""

    @property
    def text(self) -> str:
        if self.unit == "holds":
            return "yes" if self.value else "NO"
        return f"{self.value:,.3g} {self.unit}"


class Part(Protocol):
    def __call__(self, case: Case) -> Iterator[Found]: ...


@dataclass(frozen=True, eq=False)
class Case:
    """One benchmark.

    Attributes:
        device: Full name of the device.
        quick: Whether sizes are small.
    """

    device: str
    quick: bool
    out: Path

    @property
    def dtype(self) -> Literal["float32", "bfloat16"]:
        return dtype_of(self.device)

    @cached_property
    def embedded(self) -> Backbone:
        return placed(load_backbone("embedded", self.dtype), self.device)

    def shaped(self, shape: dict[str, int]) -> Backbone:
        """An encoder with random weights in another shape: heads of width 64, and an FFN of four times its width."""
        width = shape["hidden_size"]
        more = {"intermediate_size": 4 * width, "num_attention_heads": width // 64}
        folder = self.out / f"encoder-{shape['num_hidden_layers']}x{width}"
        return placed(load_backbone(str(save_random("embedded", folder, 0, **shape, **more)), self.dtype), self.device)

    def tasks(self, count: int, rows: int) -> list[EncodedTask]:
        """The first twins of the 26 tasks, with this number of training rows, of at most 64 tokens."""
        base, source = self.embedded, open_source("simulated", {})
        found = [
            encode(source, name, base.tokenizer, base.tokenizer_id, 64, cache_folder(), Limits(rows, 32, 32))
            for name in SUITES["houlsby26"][:count]
        ]
        return [opened(str(each.path), rows, 32) for each in found]


T = TypeVar("T")


def timed(device: str, action: Callable[..., T], *arguments: Any) -> tuple[float, T]:
    """Seconds of an action on a device, until its last result is there; and what it returns."""
    _wait(device)
    begun = time.perf_counter()
    found = action(*arguments)
    _wait(device)
    return time.perf_counter() - begun, found


def _wait(device: str) -> None:
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device == "mps":
        torch.mps.synchronize()
