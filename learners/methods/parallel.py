"""Parallel adapters: a bottleneck beside a sub-layer, reading what it reads; scaled, He et al.'s best single change."""

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

# Released code adds beside attention to the heads, before W_o, and beside the FFN after its dropout.
SITES: Mapping[str, tuple[Role, Role]] = {
    "ffn": ("ffn.output", "ffn.input"),
    "attention": ("attention.heads", "attention.input"),
    "attention-output": ("attention.output", "attention.input"),
}


def modification(where: str, size: int, scale: float, norm: Norm = "none", trained: bool = False) -> Modification:
    """W₂ is zero at first, so the backbone is unchanged (He et al.'s code, init `lora`)."""
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
    summary="A bottleneck of size m beside the FFN (or attention), zero at first; with a scale, the scaled parallel "
    "adapter. L(2md + d + m) parameters; the papers count without biases, 2md a layer.",
    citation="He et al. 2022, sections 3.3 and 4.3 to 4.5; code jxhe/unify-parameter-efficient-tuning",
    training=Training(learning_rate=3e-3),
    options=(
        Option("size", integer(1, 4096), 64, "bottleneck m; the paper has 512 on BART-large, 16 on RoBERTa-base"),
        SHARING,
        Option(
            "where",
            choice(*SITES),
            "ffn",
            "beside the FFN, which the paper finds better, or attention up to its "
            "heads, as its code has it, or its output, after W_o",
        ),
        Option("scale", number(1e-3, 1e3), 1.0, "s of h + s Δh; 4 in the paper's scaled parallel adapter"),
        TRAINED_SCALE,
        Option(
            "inner_norm", choice("none", "input"), "none", "a LayerNorm of x: in its code beside attention, not the FFN"
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
