"""MAM adapter: a short prefix in attention and a scaled parallel adapter at the FFN."""

from __future__ import annotations

from learners.methods.parallel import modification as parallel
from learners.methods.prefix import modification as prefix
from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.option import Option, integer, number

FAMILY = Family(
    name="mam",
    title="MAM adapter",
    summary="A prefix and a scaled parallel adapter: the best combination in the grid of He et al. 2ld + 2md + d + m "
    "parameters per layer.",
    citation="He et al. 2022, section 4.6 and Table 6; sizes and scale of its GLUE script, exps/run_glue.sh",
    # Our choice.
    # Of 3e-4, 1e-3, 3e-3 and 1e-2 none is better beyond chance on validation rows of the embedded
    # backbone (3e-3: +0.4 ±1.4 points): scripts/experiments/RATES.md
    training=Training(learning_rate=1e-3),
    options=(
        Option("prefix", integer(1, 1024), 16, "length l of the prefix"),
        Option("parallel", integer(1, 4096), 16, "bottleneck m of the parallel adapter"),
        SHARING,
        Option("scale", number(1e-3, 1e3), 2.0, "scale of the parallel adapter: 2 on RoBERTa, 4 on BART"),
        Option("mlp", integer(0, 8192), 800, "width of the MLP that makes the prefix in training; 0: no MLP"),
    ),
    positional=("prefix", "parallel", "sharing"),
    examples=("mam", "mam:prefix=16:parallel=16", "mam:prefix=4:parallel=8:mlp=0"),
    build=lambda options, training: Learner(
        name="",
        family="mam",
        training=training,
        modifications=(
            prefix(options["prefix"], options["mlp"]),
            parallel("ffn", options["parallel"], options["scale"]),
        ),
        sharing=options["sharing"],
    ),
)
