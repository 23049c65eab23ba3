"""IA3: rescales keys, values and the inner activations of the FFN by one factor per dimension."""

from __future__ import annotations

from learners.backbones.sites import Role
from learners.forms import Rescale
from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.modification import Modification

SITES: tuple[Role, ...] = ("attention.key", "attention.value", "ffn.intermediate")

FAMILY = Family(
    name="ia3",
    title="IA3",
    summary="Multiplies keys, values and the inner activations of the FFN by factors l_k, l_v and l_ff, 1 at first. "
    "2d + d_ff parameters per layer.",
    citation="Liu et al. 2022 (T-Few), section 3.3",
    # Our choice, above the paper's 3e-3 for T0.
    # Of 9e-3, 3e-2, 9e-2 and 3e-1 none is better beyond chance on validation rows of the embedded
    # backbone (9e-3: +0.5 ±1.7 points): scripts/experiments/RATES.md
    training=Training(learning_rate=3e-2),
    options=(SHARING,),
    positional=("sharing",),
    examples=("ia3", "ia3:sequential"),
    build=lambda options, training: Learner(
        name="",
        family="ia3",
        training=training,
        modifications=tuple(Modification(f"ia3.{site}", Rescale(), site) for site in SITES),
        sharing=options["sharing"],
    ),
)
