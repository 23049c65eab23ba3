"""Parallel adapters: a bottleneck that reads the input of a sub-layer and adds to its output.

With a scale, it is the best single change in He et al. (2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learners.backbones.sites import Role
from learners.forms import Bottleneck, Scaled
from learners.forms.bottleneck import Norm
from learners.methods.lora import TRAINED_SCALE
from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.modification import Modification
from learners.specification.option import Option, choice, integer, number

# The released code adds Δh of attention to the outputs of the heads, before W_o, and Δh of the FFN after its dropout.
SITES: Mapping[str, tuple[Role, Role]] = {
    "ffn": ("ffn.output", "ffn.input"),
    "attention": ("attention.heads", "attention.input"),
    "attention-output": ("attention.output", "attention.input"),
}


def modification(where: str, size: int, scale: float, norm: Norm = "none", trained: bool = False) -> Modification:
    """Returns a parallel adapter. W₂ is zero at first, so the backbone is unchanged (He et al.'s code, init `lora`).

    Args:
        where: Key of `SITES`.
        size: Bottleneck m.
        scale: Factor s of h + s Δh.
        norm: LayerNorm inside the bottleneck.
        trained: Whether a factor of Δh is trained.
    """
    site, reads = SITES[where]
    form = Bottleneck(size, "relu", init="lora", norm=norm)
    return Modification(f"parallel.{where}", Scaled(form) if trained else form, site, reads, scale)


def build(options: Mapping[str, Any], training: Training) -> Learner:
    return Learner(
        name="",
        family="parallel",
        training=training,
        modifications=(
            modification(*(options[name] for name in ("where", "size", "scale", "inner_norm", "trained_scale"))),
        ),
        sharing=options["sharing"],
    )


FAMILY = Family(
    name="parallel",
    title="parallel adapters",
    summary="Adds a bottleneck of size m parallel to the FFN (or to attention), zero at first. With a scale it is the "
    "scaled parallel adapter. L(2md + d + m) parameters; the papers count without biases, 2md per layer.",
    citation="He et al. 2022, sections 3.3 and 4.3 to 4.5; code jxhe/unify-parameter-efficient-tuning",
    # Our choice.
    # Of 9e-4, 3e-3, 9e-3 and 3e-2 none is better beyond chance on validation rows of the embedded
    # backbone (9e-3: +0.4 ±3.0 points): scripts/experiments/RATES.md
    training=Training(learning_rate=3e-3),
    options=(
        Option("size", integer(1, 4096), 64, "bottleneck m; in the paper 512 on BART-large, 16 on RoBERTa-base"),
        SHARING,
        Option(
            "where",
            choice(*SITES),
            "ffn",
            "ffn: parallel to the FFN, the better place in the paper; attention: added to the outputs of the heads, as "
            "in the released code; attention-output: added after W_o",
        ),
        Option("scale", number(1e-3, 1e3), 1.0, "factor s of h + s Δh; 4 in the paper's scaled parallel adapter"),
        TRAINED_SCALE,
        Option(
            "inner_norm",
            choice("none", "input"),
            "none",
            "LayerNorm of the input x; the released code has it for attention, but not for the FFN",
        ),
    ),
    positional=("size", "sharing"),
    examples=(
        "parallel:64",
        "parallel:16:scale=4",
        "parallel:16:where=attention",
        "parallel:8:where=attention-output:inner_norm=input",
    ),
    build=build,
)
