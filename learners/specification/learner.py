"""A learner as plain data: what it tunes, what it adds, how it trains, and what its tasks share."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from learners.specification.gates import HardConcrete
from learners.specification.modification import Modification
from learners.specification.text_model import TextModel
from learners.specification.tuned import Tuned

Sharing = Literal["isolated", "sequential", "frozen-shared"]

LOOP = "loop"  # the default trainer: `learners.training.fit`
REFERENCE_WIDTH = 384  # width of MiniLM: where the peak is the default rate as it is written


@dataclass(frozen=True)
class Pruning:
    """Second step of diff pruning (Guo et al. 2021, section 3.3): keep the largest differences and train them further.

    Attributes:
        target: Share of the scalars that is kept, in (0, 1].
        after: Share of the epochs that come before the choice.
    """

    target: float
    after: float

    def epoch(self, epochs: int) -> int:
        """Returns the epoch (from 1) at whose end the scalars are chosen, if training has `epochs` epochs."""
        return max(1, round(self.after * epochs))


@dataclass(frozen=True)
class Training:
    """Settings of the training loop, `learners.training.fit.fit`.

    Each method's file says where its default rate comes from. All were compared with a half decade below and with one
    and two above, on the embedded backbone at two budgets, by validation scores of simulated tasks that no reported
    table uses (scripts/experiments/RATES.md). On other backbones and at other budgets the defaults are not measured.

    Attributes:
        learning_rate: Peak of the schedule. If `width_power` is not 0, the peak on a backbone of width 384.
        width_power: Exponent p. At width d the peak is (384 / d)^p times `learning_rate`, because wider matrices need
            smaller steps of Adam (Yang et al. 2021, Tensor Programs V). It is fitted to two points: the rate measured
            at 128 (embedded), and the rates that papers use on BERT, at 768 and 1024. If the user states a rate, p is
            0.
        epochs: Passes over the training examples, at most.
        batch_size: Examples per batch.
        warmup: Share of the steps in which the rate rises linearly.
        decay: Whether the rate falls linearly to 0 after the warm-up. The steps are those of all `epochs`, also if
            training stops early.
        weight_decay: Decoupled weight decay.
        clip: Largest global norm of the gradient. 0: no clipping.
        patience: Epochs without a better validation score before training stops. 0: it never stops early, as in the
            papers of the methods; the best epoch is kept all the same.
        head_dropout: Dropout probability before the head.
        dropout: Whether the backbone's own dropout is applied.
    """

    learning_rate: float
    width_power: float = 0.0
    epochs: int = 3  # the lower of Houlsby et al.'s {3, 20} (section 3.2), and in Devlin et al.'s {2, 3, 4}
    batch_size: int = 32  # Houlsby et al. 2019, section 3.1
    warmup: float = 0.1  # Houlsby et al. 2019, section 3.1: the first tenth of the steps
    weight_decay: float = 0.01  # BERT's optimiser; not on norms and biases
    clip: float = 1.0  # BERT's optimiser; the norm is taken without the L0 gates
    patience: int = 3  # our choice
    head_dropout: float = 0.1  # run_classifier.py of BERT and of adapter-bert
    dropout: bool = True  # from the lowest layer that the learner changes (`frozen_prefix`)
    decay: bool = True  # Houlsby et al. 2019, section 3.1

    def stops(self, since: int) -> bool:
        """Whether training stops if the best epoch is `since` epochs ago."""
        return 0 < self.patience <= since


def peak_rate(training: Training, width: int) -> float:
    """Returns the peak learning rate on a backbone of the given width."""
    return training.learning_rate * math.pow(REFERENCE_WIDTH / width, training.width_power)


@dataclass(frozen=True)
class Learner:
    """A method that learns one task after another.

    Attributes:
        name: Canonical specification: family and the options that differ from their defaults. It enters every id, and
            every seed of its own tensors unless `draws_as` is another name.
        family: Name of the family that built it; several are joined by "+".
        training: Settings of its training.
        tuned: Backbone weights that it trains. A Delta holds their new values.
        modifications: Changes of the forward pass.
        sharing: `isolated`: one Delta per task. `sequential`: one Delta that each task trains further, and one head per
            task. `frozen-shared`: one Delta per task, but its `common` tensors are trained on the first task only.
        prompt: Number of learned vectors before the words of every row.
        difference: Whether it trains a sparse difference to every weight of the backbone.
        peft: Configuration of a method of the peft library, as `learners.specification.notation` writes it; "" if none.
        library: Name and version of a further library that computes it: another version may change the last bits.
        layers_read: Number of layers, counted from the top, whose pooled outputs are concatenated for the head.
        gates: L0 gates on the tensors that `gated` selects, or None.
        penalty: λ of the L0 penalty; 0 if there are no gates.
        gated: Suffix of the names of gated tensors, or their prefix if it ends in a dot.
        pruning: Pruning after training with gates, or None.
        trains: False for `majority`, which counts labels instead, and for a learner with `text_model`.
        text_model: Models of scikit-learn on the texts, which use no encoder; None for other learners.
        trainer: Name of the trainer (`learners.training.trainer`).
        trainer_config: Configuration of the trainer, as `learners.specification.notation` writes it.
        draws_as: Name of the learner whose random numbers it draws, so that the two can be compared; "": its own name.
        formats: Formats of its families, such as "adapter 2"; a family with format 1 is left out.
        plugins: Content of the plug-ins that define its methods (`tasks.registry.Origin.key`); () for built-in methods.
        selection: Alternatives of which each task keeps the best one, and how they are searched. The other fields are
            then those of the first alternative. None for a learner without alternatives.
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
    text_model: TextModel | None = None
    trainer: str = LOOP
    trainer_config: str = ""
    draws_as: str = ""
    formats: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    selection: Selection | None = None

    @property
    def keeps_task_weights(self) -> bool:
        """Whether the weights of a task stay unchanged after the task is learned."""
        return self.sharing != "sequential"

    @property
    def needs_previous_fit(self) -> bool:
        """Whether a fit starts from the result of an earlier fit."""
        return self.sharing != "isolated"

    @property
    def may_freeze_layers(self) -> bool:
        """Whether it has a frozen prefix (`learners.forward.frozen_layers`) on an encoder with enough layers."""
        added = self.modifications or self.prompt or self.difference or self.peft
        return not added and self.trains and replace(self.tuned, top_layers=0, pooler=False) == Tuned()

    @property
    def no_encoder(self) -> str:
        """Why its answers need no encoder, in one sentence; "" if they need one."""
        if self.text_model is not None:
            return "it reads the words of the texts, and no encoder"
        return "" if self.trains else "it trains no model"

    @property
    def seeds(self) -> str:
        """Name that the seeds of its own random numbers are derived from.

        Heads and orders of batches are not its own: their seeds are the same for all learners, so that a difference
        between two learners contains less chance.
        """
        return self.draws_as or self.name


@dataclass(frozen=True)
class Alternative:
    """One of the learners that a task may keep.

    Attributes:
        specification: Text that names it without alternatives, such as "adapter:64:learning_rate=3e-4".
        learner: The learner.
        point: Place on each axis, from 0. An axis is a list of values separated by "/" in the specification.
    """

    specification: str
    learner: Learner
    point: tuple[int, ...] = ()


@dataclass(frozen=True)
class Selection:
    """How a learner with alternatives chooses one for each task. It reads training and validation rows only.

    Attributes:
        alternatives: The alternatives, in the order of the specification, at least one.
        method: `grid` fits all alternatives. `random:N` fits N of them, drawn by seed. `halving` (successive halving,
            Jamieson and Talwalkar 2016) fits all for a share of their epochs and goes on with the best third.
            `optuna:N` makes N trials that a sampler of Optuna proposes.
        scope: `task` chooses for each task by itself. `first:K` chooses by the mean over the first K tasks and keeps
            that for all later tasks; the k-th of the first K tasks is chosen by the mean over tasks 1 to k. `twin`
            chooses on the simulated twin of each task, and fits the task itself only with the winner.
        restarts: Number of further fits of the winner with other seeds; the best of all on validation is kept
            (Houlsby et al. 2019, section 3.2: five).
    """

    alternatives: tuple[Alternative, ...]
    method: str = "grid"
    scope: str = "task"
    restarts: int = 0

    def __getitem__(self, specification: str) -> Alternative:
        """Returns the alternative with this specification.

        Raises:
            KeyError: There is none.
        """
        for each in self.alternatives:
            if each.specification == specification:
                return each
        raise KeyError(specification)
