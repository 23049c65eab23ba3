"""Full fine-tuning: every weight of the backbone and a new head (Devlin et al. 2019, section 4)."""

from __future__ import annotations

from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.tuned import Tuned

FAMILY = Family(
    name="full",
    title="full fine-tuning",
    summary="Trains all weights. Isolated: one copy of the model per task. Sequential: one shared copy, which forgets.",
    citation="Devlin et al. 2019, section 4; Houlsby et al. 2019, section 3.1 (a copy per task counts N×)",
    # From {1e-5, 3e-5, 1e-4, 3e-3} of Houlsby et al., section 3.3. The width power gives 4e-4 on the embedded backbone,
    # the best of 1e-4, 4e-4, 1e-3 and 4e-3 on validation rows (scripts/experiments/RATES.md), and 4e-5 at the width of
    # BERT-base, within {2e-5, 3e-5, 5e-5} of Devlin et al.; between them it is not measured.
    training=Training(learning_rate=1e-4, width_power=1.25),
    options=(SHARING,),
    positional=("sharing",),
    examples=("full:isolated", "full:sequential"),
    build=lambda options, training: Learner(
        name="", family="full", training=training, tuned=Tuned(all=True), sharing=options["sharing"]
    ),
)
