"""Initial tensors of a Delta, from which a fit starts. The seed of each tensor depends on its name."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.backbones.sites import word_table
from learners.delta.delta import Delta
from learners.delta.layout import common, delta_shapes
from learners.delta.peft_modules import injected_initial
from learners.delta.reparametrise import PART, materialize, mlp_initial, mlp_shapes
from learners.specification.learner import Learner
from tasks.seeds import generator, seed_of
from tasks.task import Task

HEAD_STD = 0.02  # BERT's initializer_range, run_classifier.py


def initial_delta(backbone: Backbone, learner: Learner, task: Task, seed: int, previous: Delta | None = None) -> Delta:
    """A Delta before training. Tuned weights are pretrained, modifications near the identity, the head random.

    Args:
        seed: Seed of the run. The seed of each tensor is a hash of (run seed, learner's seeds, task, tensor name). That
            of the head leaves the learner out: heads of equal shape are the same for all learners.
        previous: Delta of an earlier task. A sequential learner starts from its body, a frozen-shared learner from
            its common tensors. Default: None, every tensor is new.

    Raises:
        InputError: The learner cannot apply to this backbone.
    """
    return Delta(
        materialize(learner, initial_trainable(backbone, learner, task, seed, previous), backbone.architecture.layers)
    )


def initial_trainable(
    backbone: Backbone, learner: Learner, task: Task, seed: int, previous: Delta | None = None
) -> dict[str, Tensor]:
    """Initial values of the trainable tensors, by name.

    These are the tensors of `initial_delta`, or the MLP that computes them (`reparametrise`).
    """
    forms = {m.name: m.form for m in learner.modifications} | {
        m.group: m.form for m in learner.modifications if m.group
    }
    shapes = delta_shapes(learner, backbone.architecture, task.outputs)
    if previous is None:  # with an earlier Delta, training continues on its tables, without the MLP
        mlp = mlp_shapes(learner, backbone.architecture)
        owners = tuple(f"added.{name[len(PART) :].split('.')[0]}." for name in mlp if name.endswith(".table"))
        shapes = {name: shape for name, shape in shapes.items() if not name.startswith(owners)} | mlp
    kept = {} if previous is None else {name: previous.tensors[name] for name in kept_names(learner, previous)}
    drawn: dict[str, Tensor] = {}
    if learner.peft and not kept:
        drawn = injected_initial(backbone, learner.peft, seed_of(seed, learner.seeds, task.name, "initial"))
    trainable: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        part, rest = name.split(".", 1)
        random = generator(seed, learner.seeds, task.name, "initial", name)
        if part == "head":
            trainable[name] = _head(name, shape, generator(seed, task.name, "initial", name))
        elif name in kept:
            trainable[name] = kept[name]
        elif name in drawn:
            trainable[name] = drawn[name]
        elif part == "backbone":
            trainable[name] = backbone.weights[rest]
        elif part == "difference" or learner.text_model is not None:
            trainable[name] = torch.zeros(shape)
        elif part == "mlp":
            trainable[name] = mlp_initial(name, shape, random)
        elif rest.startswith("prompt."):
            trainable[name] = _words(backbone, shape, random)
        else:
            owner = next(m for m in forms if rest.startswith(f"{m}."))
            tensor = rest[len(owner) + 1 :].split(".", 1)[1]  # after the layer, or "shared"
            trainable[name] = forms[owner].initialise(tensor, shape, random)
    return trainable


def kept_names(learner: Learner, previous: Delta) -> list[str]:
    """Names of the tensors with which a fit starts from an earlier Delta.

    A sequential learner takes all tensors but the head, another learner the common ones (`layout.common`).
    """
    body = [name for name in previous.tensors if not name.startswith("head.")]
    return body if learner.sharing == "sequential" else [name for name in body if common(learner, name)]


def frozen_names(learner: Learner, previous: Delta | None) -> frozenset[str]:
    """Names of the tensors from `kept_names` that the fit does not train.

    Args:
        previous: Delta of an earlier task; None gives the empty set.
    """
    return frozenset(kept_names(learner, previous) if previous is not None and learner.keeps_task_weights else ())


def added_gates(learner: Learner, trainable: Mapping[str, Tensor], random: torch.Generator) -> dict[str, Tensor]:
    """Trainable gate parameters a: per gated tensor, one of the same shape. Empty for a learner without gates."""
    if learner.gates is None:
        return {}
    begins = learner.gated.endswith(".")
    names = [n for n in trainable if (n.startswith(learner.gated) if begins else n.endswith(learner.gated))]
    return {n: learner.gates.initialise(tuple(trainable[n].shape), random).requires_grad_(True) for n in names}


def _head(name: str, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    return torch.zeros(shape) if name == "head.bias" else torch.randn(shape, generator=random) * HEAD_STD


def _words(backbone: Backbone, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    """Initial vectors of a prompt: word vectors of random words of the vocabulary, of shape [l, e].

    Lester et al. 2021, section 3.2, "sampled vocabulary". They draw from the 5,000 most common words; a tokenizer does
    not tell which these are, so all words are drawn from here.
    """
    table = backbone.weights[word_table(backbone.architecture)]
    return table[torch.randint(len(table), (shape[0],), generator=random)].clone()
