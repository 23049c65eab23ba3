"""LoRA: adds a low-rank product to the outputs of the query and value projections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learners.backbones.sites import Role
from learners.forms import LowRank, Scaled
from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.modification import Modification
from learners.specification.option import Option, choice, integer, number, switch

# Letter of a matrix in the paper -> site of its output, site of its input.
MATRICES: Mapping[str, tuple[Role, Role]] = {
    "q": ("attention.query", "attention.input"),
    "k": ("attention.key", "attention.input"),
    "v": ("attention.value", "attention.input"),
    "o": ("attention.wo", "attention.heads"),
    "1": ("ffn.w1", "ffn.input"),
    "2": ("ffn.w2", "ffn.intermediate"),
}


def modifications(name: str, letters: str, options: Mapping[str, Any]) -> tuple[Modification, ...]:
    """Returns one modification per matrix: h ← h + (α/r) x A B.

    Args:
        name: Prefix of the modifications' names.
        letters: Matrices, by their keys in `MATRICES`.
        options: Values of `rank`, `alpha` and, if the family has it, `trained_scale`.
    """
    rank: int = options["rank"]
    form = Scaled(LowRank(rank)) if options.get("trained_scale") else LowRank(rank)
    return tuple(
        Modification(f"{name}.{site}", form, site=site, reads=reads, scale=options["alpha"] / rank)
        for site, reads in (MATRICES[letter] for letter in letters)
    )


def build(options: Mapping[str, Any], training: Training) -> Learner:
    return Learner(
        name="",
        family="lora",
        training=training,
        modifications=modifications("lora", options["matrices"], options),
        sharing=options["sharing"],
    )


RANK = Option("rank", integer(1, 1024), 8, "r; 8 in the paper's GLUE scripts")
ALPHA = Option("alpha", number(1e-3, 1e4), 16.0, "Δh is scaled by α/r; 16 in the paper's scripts for RoBERTa-base")
TRAINED_SCALE = Option(
    "trained_scale", switch, False, "train one factor of Δh per site and layer, 1 at first (He et al. 2022)"
)

FAMILY = Family(
    name="lora",
    title="LoRA",
    summary="Adds a low-rank product x A B to the outputs of W_q and W_v, zero at first. It can be merged into these "
    "matrices. 4rd parameters per layer.",
    citation="Hu et al. 2022, section 4; code microsoft/LoRA",
    # Our choice, above the 4e-4 to 5e-4 of the authors' GLUE scripts, which train 30 to 80 epochs.
    # On validation rows of the embedded backbone better than 2e-3 by 4.0 ±3.7 points over eight tasks (6e-4 and 2e-2
    # were tried on four each): scripts/experiments/RATES.md
    training=Training(learning_rate=6e-3),
    options=(
        RANK,
        SHARING,
        ALPHA,
        Option(
            "matrices",
            choice("qv", "q", "v", "qk", "qkv", "qkvo"),
            "qv",
            "matrices that get a product, such as qv for W_q and W_v",
        ),
        TRAINED_SCALE,
    ),
    positional=("rank", "sharing"),
    examples=("lora:8", "lora:4:alpha=8", "lora:2:matrices=qkvo", "lora:2:trained_scale=yes"),
    build=build,
)
