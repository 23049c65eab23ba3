"""VeRA: LoRA with one frozen pair of random matrices for all layers, and two trained vectors per matrix and layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from learners.forms import LowRank, Products, Reading, Shapes, Symbol, SymbolicReading, elementwise
from learners.methods.lora import MATRICES
from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.modification import Modification
from learners.specification.option import Option, choice, integer, number
from tasks.seeds import generator

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class ScaledRandom(LowRank):
    """Δh = ((x A) ⊙ d) B ⊙ b with trained d [r] and b [writes]: r + writes parameters.

    A and B are not stored in a Delta: they are drawn again from `key` and their shapes (paper, section 3.2), by
    Kaiming's uniform rule. At first all entries of d are `initial` and b is zero, so Δh is exactly zero.

    Attributes:
        rank: r.
        key: Seed of A and B.
        initial: Initial value of every entry of d; 0.1 in the paper.
    """

    key: int = 0
    initial: float = 0.1

    packs = True

    @property
    def formula(self) -> str:
        return f"(x A ⊙ d) B ⊙ b, A and B random and frozen, r = {self.rank}"

    @property
    def common(self) -> tuple[str, ...]:
        return ("d",)

    def shapes(self, reads: int, writes: int) -> Shapes:
        return {"d": (self.rank,), "b": (writes,)}

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        import torch

        return torch.full(shape, self.initial) if name == "d" else torch.zeros(shape)

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        import torch.nn.functional as F

        x, b = reading.x, tensors["b"]
        down, up = projections(self.key, self.rank, x.shape[-1], b.shape[-1], x.device)
        return F.linear(F.linear(x, down.to(x.dtype)) * tensors["d"], up.to(x.dtype)) * b  # [B, S, writes]

    def change_products(self, tensors: Mapping[str, Symbol], reading: SymbolicReading, products: Products) -> Symbol:
        (*_, reads), (writes,) = reading.x.shape, tensors["b"].shape
        down, up = Symbol((self.rank, reads)), Symbol((writes, self.rank))
        scaled = elementwise(products.linear(reading.x, down), tensors["d"])
        return elementwise(products.linear(scaled, up), tensors["b"])  # [B, S, writes]


@lru_cache(maxsize=16)
def projections(
    key: int, rank: int, reads: int, writes: int, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Returns A [r, reads] and B [writes, r] in float32. Equal arguments give equal matrices, in every layer."""
    import torch

    with torch.inference_mode(False):  # the cache serves training too, which cannot use inference tensors
        random = generator(key, "vera", str(rank), str(reads), str(writes))
        down, up = (
            torch.nn.init.kaiming_uniform_(torch.empty(shape), generator=random)
            for shape in ((rank, reads), (writes, rank))
        )
    return down.to(device), up.to(device)


FAMILY = Family(
    name="vera",
    title="VeRA",
    summary="Adds a low-rank product to the outputs of W_q and W_v. Its two matrices are random and frozen: all layers "
    "and tasks share them, and no Delta stores them. Two vectors are trained: d between the matrices and b after them. "
    "It can be merged into W_q and W_v. 2(r + d) parameters per layer.",
    citation="Kopiczko, Blankevoort and Asano 2024, sections 3.1 and 3.2, Table 1",
    # Within the paper's rates on GLUE, 4e-3 to 1e-2. On validation rows of the embedded backbone the best of 3e-3,
    # 1e-2, 3e-2 and 1e-1 (3e-2 is equal): scripts/experiments/RATES.md
    training=Training(learning_rate=1e-2),
    options=(
        Option("rank", integer(1, 4096), 256, "rank r; 256 on RoBERTa-large, 1024 on RoBERTa-base in the paper"),
        SHARING,
        Option("initial", number(1e-9, 1.0), 0.1, "initial value of every entry of vector d; 0.1 in the paper"),
        Option("key", integer(0, 999_999_999), 0, "seed of the random matrices"),
        Option(
            "matrices",
            choice("qv", "q", "v", "qk", "qkv", "qkvo"),
            "qv",
            "matrices that get a product, such as qv for W_q and W_v",
        ),
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
