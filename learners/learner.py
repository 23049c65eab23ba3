"""A learner as plain data: what it tunes, what it adds, how it trains, what its tasks share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from learners.architecture import Architecture, parameter_shapes
from learners.forms import Form, Shapes
from learners.gates import HardConcrete
from learners.sites import Role, layer_parameters, norm_parameters, pooler_parameters, weight_parameters, width
from tasks.errors import InputError

Sharing = Literal["isolated", "sequential"]
Insertion = Literal["sequential", "parallel"]

REFERENCE_WIDTH = 384  # of MiniLM, where the default rates were measured first


@dataclass(frozen=True)
class Modification:
    """One point of He et al.'s grid (2022, Table 1): h ← h + s·Δh at a site of every layer.

    Attributes:
        name: Prefix of its tensors in a Delta.
        form: Functional form of Δh.
        site: The representation h that is modified.
        reads: None inserts sequentially (the form reads h itself); a role inserts in parallel (it reads that).
        scale: s of the composition h + s·Δh.
        shared: Names of the form's tensors held once for all layers.
    """

    name: str
    form: Form
    site: Role
    reads: Role | None = None
    scale: float = 1.0
    shared: tuple[str, ...] = ()

    @property
    def insertion(self) -> Insertion:
        return "sequential" if self.reads is None else "parallel"

    def key(self, layer: int, tensor: str) -> str:
        """Name in a Delta of one of the form's tensors as layer `layer` uses it."""
        return f"added.{self.name}.{'shared' if tensor in self.shared else layer}.{tensor}"


@dataclass(frozen=True)
class Tuned:
    """Backbone weights that a learner trains: whole (`all`), or top layers, norms and the pooler, by role."""

    all: bool = False
    top_layers: int = 0
    norms: Literal["none", "ffn", "layers"] = "none"
    embedding_norm: bool = False
    pooler: bool = False

    def parameters(self, architecture: Architecture) -> tuple[str, ...]:
        """Names of the tuned parameters, in the backbone's order.

        Raises:
            InputError: More top layers than the backbone has.
        """
        every = parameter_shapes(architecture)
        if self.all:
            return tuple(every)
        if self.top_layers > architecture.layers:
            raise InputError(
                "more layers to tune than the backbone has",
                where=f"topk:{self.top_layers}",
                expected=f"k of at most {architecture.layers}",
                found=str(self.top_layers),
            )
        chosen: set[str] = set()
        for layer in range(architecture.layers - self.top_layers, architecture.layers):
            chosen.update(layer_parameters(architecture, layer))
        if self.norms == "layers":
            chosen.update(norm_parameters(architecture, embeddings=False))
        elif self.norms == "ffn":
            for layer in range(architecture.layers):
                chosen.update(weight_parameters(architecture, "ffn.norm", layer))
        if self.embedding_norm:
            chosen.update(weight_parameters(architecture, "embeddings.norm"))
        if self.pooler:
            chosen.update(pooler_parameters(architecture))
        return tuple(name for name in every if name in chosen)


@dataclass(frozen=True)
class Training:
    """Settings of the one training loop, `learners.fit.fit`.

    Attributes:
        learning_rate: Peak of the schedule, at a backbone of width 384 where `width_power` is not 0.
        width_power: p of the default rates, which at width d are (384 / d)^p times `learning_rate`: the wider the
            matrices that are trained, the smaller Adam's steps must be (Yang et al. 2021, Tensor Programs V). Measured
            at 384 (MiniLM) and 128 (embedded); what it gives at 768 and 1024 is what the papers use on BERT. A rate
            that the user names is taken as it is.
    """

    learning_rate: float
    width_power: float = 0.0
    epochs: int = 3  # the lower of Houlsby et al.'s {3, 20} (section 3.2), and in Devlin et al.'s {2, 3, 4}
    batch_size: int = 32  # Houlsby et al. 2019, section 3.1
    warmup: float = 0.1  # first tenth of the steps, section 3.1
    weight_decay: float = 0.01  # of BERT's optimiser; never on norms and biases
    clip: float = 1.0  # global norm, BERT's optimiser
    patience: int = 3  # epochs without a better validation score before stopping: our choice
    head_dropout: float = 0.1  # run_classifier.py of BERT and of adapter-bert
    dropout: bool = True  # the backbone's own dropout while training


def peak_rate(training: Training, width: int) -> float:
    """Peak learning rate on a backbone of the given width."""
    return training.learning_rate * math.pow(REFERENCE_WIDTH / width, training.width_power)


@dataclass(frozen=True)
class Learner:
    """A way of learning one task after another.

    Attributes:
        name: Canonical specification; enters every seed and id.
        family: Name of the method that built it.
        tuned: Backbone weights it trains (a Delta holds their new values).
        modifications: What it adds to the forward pass.
        sharing: `isolated`, a Delta per task; `sequential`, one evolving Delta and a head per task.
        gates, penalty: L0 gates on L_α and λ of the penalty, or None and 0.
        trains: False for `majority`, which counts labels instead.
    """

    name: str
    family: str
    training: Training
    tuned: Tuned = Tuned()
    modifications: tuple[Modification, ...] = ()
    sharing: Sharing = "isolated"
    gates: HardConcrete | None = None
    penalty: float = 0.0
    trains: bool = True


def delta_shapes(learner: Learner, architecture: Architecture, outputs: int) -> Shapes:
    """Name and shape of every tensor of a Delta: `backbone.*`, `added.*`, `head.*`; from the config alone."""
    if not learner.trains:
        return {"head.bias": (outputs,)}
    every = parameter_shapes(architecture)
    shapes: Shapes = {f"backbone.{name}": every[name] for name in learner.tuned.parameters(architecture)}
    for modification in learner.modifications:
        writes = width(architecture, modification.site)
        reads = width(architecture, modification.reads) if modification.reads else writes
        for layer in range(architecture.layers):
            for tensor, shape in modification.form.shapes(reads, writes).items():
                shapes[modification.key(layer, tensor)] = shape
    return shapes | {"head.weight": (outputs, architecture.hidden), "head.bias": (outputs,)}
