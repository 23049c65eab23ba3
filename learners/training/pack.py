"""Packs: the steps of K fits in one pass through the frozen encoder, each slot with its own Delta, batch and schedule.

A fit's loss, clipping, optimiser, random streams, validation, best epoch and early stop are its own; only the forward
and the backward pass are shared. More than K fits are in progress at a time. A pass takes steps of up to K of them
whose batches have one padded length; slots without a step compute zeros.

What a step computes depends on the shape of its pass, which follows from K and from its own rows, and not on its
neighbours or its place (tests/learners/test_pack.py). So K is part of a fit's recipe and the company is not. A fit in a
pack draws the random numbers of the fit by itself, and differs from it in the last bits of products.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from learners.backbones.backbone import Backbone
from learners.device import recover
from learners.forms.dropout import SlotNoise
from learners.forward.forward import logits
from learners.forward.pack_plan import Shape, pack_length, pack_width, row_limit, step_lengths
from learners.forward.prepared import packed, prepared
from learners.specification.learner import Learner, Training
from learners.specification.packable import why_unpacked
from learners.training.divergence import Diverged
from learners.training.fit import Slot, Step, closed, open_slot
from learners.training.loss import task_loss
from learners.training.result import Fit, OutOfMemory, Request

Ended = Fit | Diverged | OutOfMemory
OPEN = 4  # fits in progress for each slot: the more, the fuller the passes, and the more Deltas and moments in memory


def kind_of(learner: Learner) -> Learner:
    """Returns what the learners in one pack have in common: all but their rates, schedules, seeds and names."""
    training, default = learner.training, Training(learning_rate=0.0)
    kept = replace(
        default, batch_size=training.batch_size, head_dropout=training.head_dropout, dropout=training.dropout
    )
    return replace(learner, name="", draws_as="", training=kept, penalty=0.0, pruning=None, selection=None, gates=None)


def fit_pack(backbone: Backbone, requests: Iterable[Request], slots: int) -> Iterator[tuple[int, Ended]]:
    """Does fits in a pack, and yields the number of each request and its result as soon as it ends.

    Args:
        requests: Fits with one `kind_of`. They are taken one by one, as earlier ones end. If all fit in `OPEN` times K,
            they end at nearly the same time.
        slots: Number K of fits in a pass.

    Raises:
        ValueError: A learner cannot be packed, or belongs to another pack.
        InputError: As for `learners.training.fit.fit`.
    """
    waiting, kind, more = enumerate(requests), None, True
    fits: list[_Open] = []
    while True:
        while more and len(fits) < OPEN * slots:
            if (found := next(waiting, None)) is None:
                more = False
                break
            number, request = found
            kind = kind_of(request.learner) if kind is None else kind
            _check(backbone, request, kind)
            begun = _begun(backbone, number, request, slots)
            if isinstance(begun, _Open):
                fits.append(begun)
            else:  # no memory, or no step to do
                yield number, begun
        if not fits:
            return
        shape, together = _fullest(fits, slots, oldest=more)
        started = time.perf_counter()
        steps = [each.waits for each in together]
        failed = None
        try:
            _compute(backbone, steps, shape)
        except RuntimeError as error:
            failed = _no_memory(backbone, error, shape.slots * shape.rows, shape.length)
        share = (time.perf_counter() - started) / len(together)
        for each in together:
            each.seconds += share
            if (ended := failed or _advanced(backbone, each)) is not None:
                fits.remove(each)
                yield each.number, ended


def _fullest(fits: Sequence[_Open], slots: int, oldest: bool) -> tuple[Shape, list[_Open]]:
    """Returns the shape that the most steps wait for, and up to one of these fits for each slot.

    Args:
        oldest: Whether to take the oldest of them, so that fits end one after another and others begin; or else those
            that have the most steps to do, so that few are left alone at the end.
    """
    groups = defaultdict[Shape, list[_Open]](list)
    for each in fits:
        groups[_shape(each.waits, slots)].append(each)
    shape, group = max(groups.items(), key=lambda item: len(item[1]))
    return shape, (group if oldest else sorted(group, key=lambda each: -each.left))[:slots]


def _shape(step: Step, slots: int) -> Shape:
    """Returns the shape of the pass that a step can be in."""
    rows, length = step.batch["input_ids"].shape
    length = length if step.states is None else 0  # a head reads what the encoder has given, rows of any length
    return Shape(slots, rows, length, pack_width(_outputs(step)))


@dataclass(eq=False)
class _Open:
    """A fit in progress.

    Attributes:
        step: The step that waits to be computed.
        seconds: Duration of the fit so far: its share of the shared passes, and what it does by itself.
    """

    number: int
    slot: Slot
    pauses: bool
    step: Step | None = None
    seconds: float = 0.0

    @property
    def left(self) -> int:
        """Number of steps to do, if it does not stop early."""
        epochs, steps = self.slot.fixed.learner.training.epochs, self.slot.fixed.steps
        return steps * min(self.slot.until or epochs, epochs) // epochs - self.slot.running.step

    @property
    def waits(self) -> Step:
        assert self.step is not None  # a fit without a step has ended
        return self.step

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


def _begun(backbone: Backbone, number: int, request: Request, slots: int) -> _Open | Ended:
    """Returns a fit before its first step, or its result if it has none."""
    started, before = time.perf_counter(), 0.0 if request.state is None else request.state.seconds
    lengths, most = step_lengths(slots), min(row_limit(backbone.architecture, request.learner), request.data.max_length)
    try:
        slot = open_slot(backbone, request, lambda longest: pack_length(longest, most, lengths))
    except RuntimeError as error:
        return _no_memory(backbone, error, request.learner.training.batch_size, request.data.max_length)
    opened = _Open(number, slot, request.until is not None, seconds=before + time.perf_counter() - started)
    return _advanced(backbone, opened) or opened


def _advanced(backbone: Backbone, opened: _Open) -> Ended | None:
    """As `_Open.advance`, also if the device has no memory left."""
    try:
        return opened.advance()
    except RuntimeError as error:
        fixed = opened.slot.fixed
        return _no_memory(backbone, error, fixed.learner.training.batch_size, fixed.data.max_length)


def _no_memory(backbone: Backbone, error: RuntimeError, rows: int, length: int) -> OutOfMemory:
    """Returns how the fits of a computation end that found no memory left. Raises any other error."""
    recover(error, str(backbone.device))
    return OutOfMemory(rows, length)


def _check(backbone: Backbone, request: Request, kind: Learner) -> None:
    if why := why_unpacked(request.learner, backbone.architecture):
        raise ValueError(f"{request.learner.name} cannot be in a pack: {why}")
    if kind_of(request.learner) != kind:
        raise ValueError(f"{request.learner.name} belongs to another pack than {kind}")


def _compute(backbone: Backbone, steps: Sequence[Step], shape: Shape) -> None:
    """Computes steps in one pass. Sets the loss of each and leaves its gradients in its tensors."""
    learner, free = steps[0].slot.fixed.learner, shape.slots - len(steps)
    training = learner.training
    filled = [*steps, *[steps[0]] * free]  # a free slot has some rows, zeros for a Delta, and no dropout
    states = [each.states for each in filled if each.states is not None]
    batch = steps[0].batch  # with the outputs of the encoder nothing reads it
    if not states:
        batch = {name: torch.cat([each.batch[name] for each in filled]) for name in batch}
    noise = [SlotNoise(each.slot.running.noise, each.rows, shape.rows, shape.length - each.longest) for each in steps]
    noise += [SlotNoise(None, 0, shape.rows, 0)] * free
    tensors = packed([*(each.tensors for each in steps), *[None] * free], shape.outputs)
    ready, entering = prepared(backbone, tensors, shape.slots), torch.cat(states) if states else None
    found = logits(
        backbone, learner, ready, batch, training.head_dropout, entering, dropout=training.dropout, noise=noise
    ).view(shape.slots, shape.rows, -1)
    pairs = [*zip(steps, found, strict=False)]
    losses = [task_loss(own[: step.rows, : _outputs(step)], step.target) for step, own in pairs]
    for step, loss in zip(steps, torch.stack(losses).tolist(), strict=True):
        step.loss = loss
        step.slot.running.optimiser.zero_grad()
    finite = [loss + step.penalty for step, loss in zip(steps, losses, strict=True) if np.isfinite(step.loss)]
    if finite:
        torch.autograd.backward(finite)


def _outputs(step: Step) -> int:
    return len(step.tensors["head.bias"])
