"""A learner as plain data: what it tunes, what it adds, how it trains, what its tasks share."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from learners.specification.gates import HardConcrete
from learners.specification.modification import Modification
from learners.specification.tuned import Tuned

Sharing = Literal["isolated", "sequential", "frozen-shared"]

LOOP = "loop"  # the trainer of a learner that names no other: `learners.training.fit`
REFERENCE_WIDTH = 384  # of MiniLM, where the default rates were measured first


@dataclass(frozen=True)
class Pruning:
    """Diff pruning's second step (Guo et al. 2021, section 3.3): what is largest stays and is trained on.

    Attributes:
        target: Share of the scalars that is kept.
        after: Share of the epochs after which it is chosen.
    """

    target: float
    after: float

    def epoch(self, epochs: int) -> int:
        """The epoch, of so many, at the end of which it is chosen."""
        return max(1, round(self.after * epochs))


@dataclass(frozen=True)
class Training:
    """Settings of the one training loop, `learners.training.fit.fit`.

    Attributes:
        learning_rate: Peak of the schedule, at a backbone of width 384 where `width_power` is not 0.
        width_power: p of the default rates, which at width d are (384 / d)^p times `learning_rate`: the wider the
            matrices that are trained, the smaller Adam's steps must be (Yang et al. 2021, Tensor Programs V). Measured
            at 384 (MiniLM) and 128 (embedded); what it gives at 768 and 1024 is what the papers use on BERT. A rate
            that the user names is taken as it is. Default rates that name no other source are those that did best, or
            nearly, among half decades on the embedded backbone (scripts/experiments/learning_rates.py; SST-2, QQP and
            QNLI, 400 examples).
    """

    learning_rate: float
    width_power: float = 0.0
    epochs: int = 3  # the lower of Houlsby et al.'s {3, 20} (section 3.2), and in Devlin et al.'s {2, 3, 4}
    batch_size: int = 32  # Houlsby et al. 2019, section 3.1
    warmup: float = 0.1  # first tenth of the steps, section 3.1
    weight_decay: float = 0.01  # of BERT's optimiser; never on norms and biases
    clip: float = 1.0  # global norm of the gradient, L0 gates apart; BERT's optimiser
    patience: int = 3  # epochs without a better validation score before stopping: our choice
    head_dropout: float = 0.1  # run_classifier.py of BERT and of adapter-bert
    dropout: bool = True  # the backbone's own while training, from the lowest layer that is changed (`frozen_prefix`)


def peak_rate(training: Training, width: int) -> float:
    """Peak learning rate on a backbone of the given width."""
    return training.learning_rate * math.pow(REFERENCE_WIDTH / width, training.width_power)


@dataclass(frozen=True)
class Learner:
    """A way of learning one task after another.

    Attributes:
        name: Canonical specification; enters every id, and every seed unless `draws_as` is another name.
        family: Name of the method that built it.
        tuned: Backbone weights it trains (a Delta holds their new values).
        modifications: What it adds to the forward pass.
        sharing: `isolated`, a Delta per task; `sequential`, one evolving Delta and a head per task;
            `frozen-shared`, a Delta per task in which what is `common` was trained on the first task alone.
        prompt: Learned vectors before the words of every row.
        difference: Whether it trains a difference to every weight of the backbone, which is kept sparse.
        peft: Configuration of a method of the peft library, as `learners.specification.notation` writes it; "": none.
        library: What computes it besides PyTorch and transformers, with its version: it may move the last bit.
        layers_read: Layers, counted from the top, whose pooled outputs the head reads side by side.
        gates, penalty: L0 gates on what `gated` names, and λ of the penalty, or None and 0.
        gated: How the names of gated tensors end, or begin where it ends in a dot.
        pruning: What is done after the gates, or None.
        trains: False for `majority`, which counts labels instead.
        trainer: Name of what trains its tasks (`learners.training.trainer`).
        trainer_config: The trainer's configuration, as `learners.specification.notation` writes it.
        draws_as: Name of the learner whose random numbers it draws, so that the two can be compared; "": its own.
        plugins: Content of the plug-ins that its methods come from (`tasks.registry.Origin.key`); () for our own.
    """

    name: str
    family: str
    training: Training
    tuned: Tuned = field(default=Tuned())
    modifications: tuple[Modification, ...] = ()
    sharing: Sharing = "isolated"
    prompt: int = 0
    difference: bool = False
    peft: str = ""
    library: str = ""
    layers_read: int = 1
    gates: HardConcrete | None = None
    penalty: float = 0.0
    gated: str = "alpha.weight"
    pruning: Pruning | None = None
    trains: bool = True
    trainer: str = LOOP
    trainer_config: str = ""
    draws_as: str = ""
    plugins: tuple[str, ...] = ()

    @property
    def keeps_task_weights(self) -> bool:
        """Whether what answers for a task stays as it was when the task was learned."""
        return self.sharing != "sequential"

    @property
    def needs_previous_fit(self) -> bool:
        """Whether a fit begins with what an earlier one left."""
        return self.sharing != "isolated"

    @property
    def seeds(self) -> str:
        """Name under which all is drawn that it draws."""
        return self.draws_as or self.name
