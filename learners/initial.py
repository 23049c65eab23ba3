"""First tensors of a Delta: where a fit starts, each drawn by a seed of its own name."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from learners.backbone import Backbone
from learners.delta import Delta
from learners.learner import Learner, delta_shapes
from learners.seeds import generator
from tasks.task import Task

HEAD_STD = 0.02  # BERT's initializer_range, run_classifier.py


def initial_delta(backbone: Backbone, learner: Learner, task: Task, seed: int, previous: Delta | None = None) -> Delta:
    """A Delta before training: tuned weights as pretrained, modifications near the identity, a random head.

    Args:
        seed: Of the run. Each tensor is drawn from a hash of (run seed, learner, task, tensor name).
        previous: For a sequential learner, the Delta whose body is taken over.
    """
    forms = {m.name: m.form for m in learner.modifications}
    tensors: dict[str, Tensor] = {}
    for name, shape in delta_shapes(learner, backbone.architecture, task.outputs).items():
        part, rest = name.split(".", 1)
        random = generator(seed, learner.name, task.name, "initial", name)
        if part == "head":
            zero = name == "head.bias"
            tensors[name] = torch.zeros(shape) if zero else torch.randn(shape, generator=random) * HEAD_STD
        elif previous is not None:
            tensors[name] = previous.tensors[name]
        elif part == "backbone":
            tensors[name] = backbone.weights[rest]
        else:
            modification = next(m for m in forms if rest.startswith(f"{m}."))
            tensor = rest[len(modification) + 1 :].split(".", 1)[1]  # after the layer, or "shared"
            tensors[name] = forms[modification].initialise(tensor, shape, random)
    return Delta(tensors)


def added_gates(learner: Learner, leaves: Mapping[str, Tensor], random: torch.Generator) -> dict[str, Tensor]:
    """Gate parameters a, one for each scalar of every L_α weight, ready for training; empty without gates."""
    if learner.gates is None:
        return {}
    names = [name for name in leaves if name.endswith("alpha.weight")]
    return {n: learner.gates.initialise(tuple(leaves[n].shape), random).requires_grad_(True) for n in names}
