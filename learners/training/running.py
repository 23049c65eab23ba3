"""A fit while it runs: what changes from step to step. It begins, pauses between two epochs, and resumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.delta.initial import added_gates, frozen_names, initial_trainable
from learners.delta.reparametrise import materialize
from learners.device import generator_there
from learners.specification.learner import Learner, peak_rate
from learners.training.adamw import AdamW
from learners.training.optimiser import EPSILON, groups_of
from learners.training.state import FitState, Moments
from tasks.encoded import EncodedTask
from tasks.errors import InputError
from tasks.seeds import generator


@dataclass(eq=False)
class Running:
    """A fit while it runs. Its fields are those of `FitState`, which describes them, except for these.

    Attributes:
        trainable: Tensors of the Delta by name, those that are not trained included.
        optimiser: Holds the moments.
        sampler: Generator that draws gates.
        noise: Generator that draws dropout.
        scores, losses: One entry for each epoch done.
    """

    trainable: dict[str, Tensor]
    gates: dict[str, Tensor]
    optimiser: AdamW
    sampler: torch.Generator
    noise: torch.Generator
    best: Delta
    best_key: tuple[float, float] = (-np.inf, -np.inf)
    best_epoch: int = -1
    scores: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    step: int = 0
    examples: int = 0
    flops: float = 0.0
    ended: bool = False
    masks: dict[str, Tensor] = field(default_factory=dict)


def begin(
    backbone: Backbone, learner: Learner, data: EncodedTask, seed: int, previous: Delta | None, state: FitState | None
) -> Running:
    """Returns a fit before its first step, or where `state` was taken; arguments as for `learners.training.fit.fit`.

    Tensors have the memory layout of the initial ones also if their values come from a state: kernels of PyTorch may
    round by layout.

    Raises:
        InputError: The learner cannot apply to this backbone, or the state belongs to another fit.
    """
    start = initial_trainable(backbone, learner, data.task, seed, previous)
    frozen = frozen_names(learner, previous)
    empty = frozenset(name for name in start if learner.pruning is not None and name.startswith("difference."))
    first = Delta(materialize(learner, start, backbone.architecture.layers), empty)
    trainable = {
        name: tensor.to(backbone.device, copy=True).requires_grad_(name not in frozen) for name, tensor in start.items()
    }
    free = {name: leaf for name, leaf in trainable.items() if name not in frozen}
    drawn = added_gates(learner, free, generator(seed, learner.seeds, data.task.name, "gates"))
    gates = {name: a.to(backbone.device).detach().requires_grad_() for name, a in drawn.items()}
    if state is not None:
        gates = {name: a for name, a in gates.items() if name in state.gates}  # pruning ends gates
        _check(state, free, gates)
    peak = peak_rate(learner.training, backbone.architecture.hidden)
    gate_rate = None if learner.gates is None else learner.gates.learning_rate
    optimiser = AdamW(groups_of(learner.training, free, gates, peak, gate_rate), EPSILON)
    sampler, noise = (generator(seed, learner.seeds, data.task.name, draws) for draws in ("gate noise", "dropout"))
    noise = generator_there(noise, backbone.device)
    running = Running(trainable, gates, optimiser, sampler, noise, first)
    if state is not None:
        _restore(running, state)
    return running


def pause(running: Running, seconds: float) -> FitState:
    """Returns the state of a fit between two epochs. The fit must not go on: the state shares its tensors.

    Args:
        seconds: Duration of the fit so far.
    """
    moments = running.optimiser.moments
    return FitState(
        epochs=len(running.scores),
        step=running.step,
        examples=running.examples,
        flops=running.flops,
        seconds=seconds,
        ended=running.ended,
        scores=tuple(running.scores),
        losses=tuple(running.losses),
        best=running.best,
        best_key=running.best_key,
        best_epoch=running.best_epoch,
        trainable={name: leaf.detach().cpu() for name, leaf in running.trainable.items() if leaf.requires_grad},
        gates={name: a.detach().cpu() for name, a in running.gates.items()},
        moments={name: _on_host(moments[leaf]) for name, leaf in _leaves(running).items() if leaf in moments},
        masks={name: mask.cpu() for name, mask in running.masks.items()},
        dropout=running.noise.get_state(),
        gate_noise=running.sampler.get_state(),
    )


def _restore(running: Running, state: FitState) -> None:
    """Gives a fit before its first step the values of a state."""
    leaves = _leaves(running)
    with torch.no_grad():
        for name, tensor in state.trainable.items():
            running.trainable[name].copy_(tensor)
        for name, a in state.gates.items():
            running.gates[name].copy_(a)
        for name, (first, second, steps) in state.moments.items():
            leaf = leaves[name]
            running.optimiser.moments[leaf] = (
                torch.zeros_like(leaf).copy_(first),
                torch.zeros_like(leaf).copy_(second),
                steps.to(leaf.device, copy=True),
            )
    running.masks = {name: mask.to(running.trainable[name].device) for name, mask in state.masks.items()}
    running.best, running.best_key, running.best_epoch = state.best, state.best_key, state.best_epoch
    running.scores, running.losses = list(state.scores), list(state.losses)
    running.step, running.examples, running.flops = state.step, state.examples, state.flops
    running.ended = state.ended
    running.sampler.set_state(state.gate_noise)
    running.noise.set_state(state.dropout)


def _on_host(moments: Moments) -> Moments:
    first, second, steps = (each.cpu() for each in moments)
    return first, second, steps


def _leaves(running: Running) -> dict[str, Tensor]:
    """Tensors that the optimiser changes, by the names that `FitState.moments` has."""
    free = {f"tensor.{name}": leaf for name, leaf in running.trainable.items() if leaf.requires_grad}
    return free | {f"gate.{name}": a for name, a in running.gates.items()}


def _check(state: FitState, free: Mapping[str, Tensor], gates: Mapping[str, Tensor]) -> None:
    """Refuses a state whose tensors are not those of this fit."""
    for what, found, expected in (("tensors", state.trainable, free), ("gates", state.gates, gates)):
        shapes, wanted = ({name: tuple(t.shape) for name, t in each.items()} for each in (found, expected))
        if shapes != wanted:
            name = min(name for name in {**shapes, **wanted} if shapes.get(name) != wanted.get(name))
            raise InputError(
                f"the state of another fit: its {what} are not those of this one",
                where=name,
                expected=str(wanted.get(name, "nothing of this name")),
                found=str(shapes.get(name, "nothing of this name")),
                fix="fit without a state",
            )
