"""Packs: the steps of K fits in one pass through the frozen encoder, each slot with its own Delta, batch and schedule.

A slot's loss, clipping, optimiser, random streams, validation, best epoch and early stop are its own; only the forward
and the backward pass are shared. A slot whose fit ends takes the next fit; slots without a fit compute zeros.

What a slot computes depends on the shape of the pack, and not on its neighbours or its place
(tests/learners/test_pack.py). So the shape is part of a fit's recipe and the company is not. It differs from a fit by
itself in the last bits of the products, and in padding, as all rows of a pack have one length; with another padding,
other random numbers drop other elements.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from learners.backbones.backbone import Backbone
from learners.forward.forward import logits
from learners.forward.pack_plan import Shape, pack_length, pack_width, row_limit
from learners.forward.prepared import packed, prepared
from learners.specification.learner import Learner, Training
from learners.specification.packable import why_unpacked
from learners.training.divergence import Diverged
from learners.training.fit import Slot, Step, closed, open_slot
from learners.training.loss import task_loss
from learners.training.result import Fit, Request
from tasks.encoded import EncodedTask


def shape_of(backbone: Backbone, learner: Learner, data: EncodedTask, slots: int) -> Shape:
    """Returns the shape of a pack for this fit. Fits with equal `kind_of` and shape can be in one pack.

    Args:
        slots: Number K of fits in one pass.
    """
    longest, outputs = int(data.train.lengths.max()), data.task.outputs
    most = row_limit(backbone.architecture, learner)
    return Shape(slots, learner.training.batch_size, pack_length(longest, most), pack_width(outputs))


def kind_of(learner: Learner) -> Learner:
    """Returns what the learners in one pack have in common: all but their rates, schedules, seeds and names."""
    training, default = learner.training, Training(learning_rate=0.0)
    kept = replace(
        default, batch_size=training.batch_size, head_dropout=training.head_dropout, dropout=training.dropout
    )
    return replace(learner, name="", draws_as="", training=kept, penalty=0.0, pruning=None, selection=None, gates=None)


def fit_pack(backbone: Backbone, requests: Iterable[Request], shape: Shape) -> Iterator[tuple[int, Fit | Diverged]]:
    """Does fits in a pack, and yields the number of each request and its result as soon as it ends.

    Args:
        requests: Fits with one `kind_of` and, but for the number of slots, one `shape_of`. They are taken one by one,
            as slots become free.

    Raises:
        ValueError: A learner cannot be packed, or belongs to another pack.
        InputError: As for `learners.training.fit.fit`.
    """
    waiting, kind = enumerate(requests), None
    slots: list[_Busy | None] = [None] * shape.slots
    while True:
        for place, slot in enumerate(slots):
            while slot is None and (found := next(waiting, None)) is not None:
                number, request = found
                kind = kind_of(request.learner) if kind is None else kind
                _check(backbone, request, shape, kind)
                slot = _opened(backbone, number, request, shape)
                if (ended := slot.advance()) is not None:  # it has no step to do
                    yield number, ended
                    slot = None
            slots[place] = slot
        busy = [slot for slot in slots if slot is not None]
        if not busy:
            return
        started = time.perf_counter()
        _compute(backbone, [None if slot is None else slot.step for slot in slots], shape)
        share = (time.perf_counter() - started) / len(busy)
        for place, slot in enumerate(slots):
            if slot is not None:
                slot.seconds += share
                if (ended := slot.advance()) is not None:
                    yield slot.number, ended
                    slots[place] = None


@dataclass(eq=False)
class _Busy:
    """A slot with a fit.

    Attributes:
        step: The step that waits to be computed.
        seconds: Duration of the fit so far: its share of the shared passes, and what it does by itself.
    """

    number: int
    slot: Slot
    pauses: bool
    step: Step | None = None
    seconds: float = 0.0

    def advance(self) -> Fit | Diverged | None:
        """Goes on to the next step. Returns the result if there is none."""
        started = time.perf_counter()
        try:
            self.step = next(self.slot.steps, None)
        except Diverged as error:
            error.seconds = self.seconds
            return error
        finally:
            self.seconds += time.perf_counter() - started
        return closed(self.slot, self.pauses, self.seconds) if self.step is None else None


def _opened(backbone: Backbone, number: int, request: Request, shape: Shape) -> _Busy:
    """Returns a slot with a fit before its first step."""
    started, before = time.perf_counter(), 0.0 if request.state is None else request.state.seconds
    slot = open_slot(backbone, request, (shape.rows, shape.length))
    return _Busy(number, slot, request.until is not None, seconds=before + time.perf_counter() - started)


def _check(backbone: Backbone, request: Request, shape: Shape, kind: Learner) -> None:
    if why := why_unpacked(request.learner, backbone.architecture):
        raise ValueError(f"{request.learner.name} cannot be in a pack: {why}")
    if kind_of(request.learner) != kind or shape_of(backbone, request.learner, request.data, shape.slots) != shape:
        raise ValueError(
            f"{request.learner.name} on {request.data.task.name} belongs to another pack than {kind}, {shape}"
        )


def _compute(backbone: Backbone, steps: Sequence[Step | None], shape: Shape) -> None:
    """Computes the steps of all slots in one pass. Sets the loss of each and leaves its gradients in its tensors."""
    model = next(step for step in steps if step is not None)
    learner = model.slot.fixed.learner
    training = learner.training
    tensors = [None if step is None else step.tensors for step in steps]
    batches = [model.batch if step is None else step.batch for step in steps]
    batch = {name: torch.cat([each[name] for each in batches]) for name in model.batch}
    states = [model.states if step is None else step.states for step in steps]
    entering = None if model.states is None else torch.cat([each for each in states if each is not None])
    noise = [torch.Generator(backbone.device) if step is None else step.slot.running.noise for step in steps]
    ready = prepared(backbone, packed(tensors, shape.outputs), shape.slots)
    found = logits(
        backbone, learner, ready, batch, training.head_dropout, entering, dropout=training.dropout, noise=noise
    ).view(shape.slots, shape.rows, -1)
    busy = [(step, own) for step, own in zip(steps, found, strict=True) if step is not None]
    losses = [task_loss(own[: step.rows, : _outputs(step)], step.target) for step, own in busy]
    for (step, _), loss in zip(busy, torch.stack(losses).tolist(), strict=True):
        step.loss = loss
        step.slot.running.optimiser.zero_grad()
    finite = [loss + step.penalty for (step, _), loss in zip(busy, losses, strict=True) if np.isfinite(step.loss)]
    if finite:
        torch.autograd.backward(finite)


def _outputs(step: Step) -> int:
    return len(step.tensors["head.bias"])
