"""VeRA: LoRA with one pair of random matrices for all layers, frozen, and two trained vectors for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from learners.forms import LowRank, Reading, Shapes
from learners.methods.lora import MATRICES
from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.modification import Modification
from learners.specification.option import Option, choice, integer, number
from tasks.seeds import generator


@dataclass(frozen=True)
class ScaledRandom(LowRank):
    """Δh = ((x A) ⊙ d) B ⊙ b with d [r], b [writes] trained: r + writes parameters.

    A and B are no tensors of a Delta: anybody can draw them again from `key` and their shapes, as the paper does
    (section 3.2), by Kaiming's uniform rule. d is `initial` everywhere and b zero: the identity at first, exactly.
    """

    key: int = 0
    initial: float = 0.1

    @property
    def formula(self) -> str:
        return f"(x A ⊙ d) B ⊙ b, A and B random and frozen, r = {self.rank}"

    @property
    def common(self) -> tuple[str, ...]:
        return ("d",)

    def shapes(self, reads: int, writes: int) -> Shapes:
        return {"d": (self.rank,), "b": (writes,)}

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        return torch.full(shape, self.initial) if name == "d" else torch.zeros(shape)

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        x, b = reading.x, tensors["b"]
        down, up = projections(self.key, self.rank, x.shape[-1], len(b))
        return F.linear(F.linear(x, down.to(x.dtype)) * tensors["d"], up.to(x.dtype)) * b  # [B, S, writes]


@lru_cache(maxsize=16)
def projections(key: int, rank: int, reads: int, writes: int) -> tuple[Tensor, Tensor]:
    """A [r, reads] and B [writes, r], float32: the same wherever the shapes are."""
    with torch.inference_mode(False):  # what is drawn while predicting must do for training too
        random = generator(key, "vera", str(rank), str(reads), str(writes))
        down, up = (
            torch.nn.init.kaiming_uniform_(torch.empty(shape), generator=random)
            for shape in ((rank, reads), (writes, rank))
        )
    return down, up


FAMILY = Family(
    name="vera",
    title="VeRA",
    summary="Vectors d and b beside W_q and W_v, between and after random matrices that all layers and tasks share and "
    "no Delta holds; merges into them. 2(r + d) parameters a layer.",
    citation="Kopiczko, Blankevoort and Asano 2024, sections 3.1 and 3.2, Table 1",
    training=Training(learning_rate=1e-2),  # their rates on GLUE are 4e-3 to 1e-2
    options=(
        Option("rank", integer(1, 4096), 256, "r; 256 on RoBERTa-large, 1024 on base: it costs little"),
        SHARING,
        Option("initial", number(1e-9, 1.0), 0.1, "every element of the first d; 0.1 in the paper"),
        Option("key", integer(0, 999_999_999), 0, "seed of the random matrices"),
        Option("matrices", choice("qv", "q", "v", "qk", "qkv", "qkvo"), "qv", "which"),
    ),
    positional=("rank", "sharing"),
    examples=("vera:256", "vera:16:matrices=qkvo"),
    build=lambda options, training: Learner(
        name="",
        family="vera",
        training=training,
        modifications=tuple(
            Modification(f"vera.{site}", ScaledRandom(options["rank"], options["key"], options["initial"]), site, reads)
            for site, reads in (MATRICES[letter] for letter in options["matrices"])
        ),
        sharing=options["sharing"],
    ),
)
