"""The training loop, the same for each learner: (backbone, initial Delta, learner, task, seed) -> Delta.

For each epoch, for each batch: learning rate, loss, backward, clip, AdamW step. After each epoch: validate. The result
is the Delta of the best epoch.

A fit may pause after some epochs and go on from its state later. The result has the bits of a fit that never paused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.delta.prune import hold, prune
from learners.delta.reparametrise import materialize
from learners.device import global_state, set_global_state, to_device
from learners.forms.dropout import GLOBAL
from learners.forward.batches import collate, training_plan
from learners.forward.flops import flops_to_keep
from learners.forward.forward import logits
from learners.forward.polynomial import total_flops
from learners.specification.learner import LOOP, Learner
from learners.training.divergence import Diverged, not_finite
from learners.training.fit_texts import fit_texts, frequencies
from learners.training.fixed import Fixed, fixed_inputs
from learners.training.loss import task_loss, validation_loss
from learners.training.optimiser import clamp_gates, clip_gradients, schedule, set_rate
from learners.training.predict import predict
from learners.training.result import Fit, Report, Request, Score
from learners.training.running import Running, begin, pause
from learners.training.state import FitState
from tasks.encoded import EncodedTask
from tasks.errors import InputError

PROGRESS_SECONDS = 0.5  # time between two progress reports; a terminal shows four frames per second


def fit(
    backbone: Backbone,
    learner: Learner,
    data: EncodedTask,
    score: Score,
    seed: int,
    previous: Delta | None = None,
    report: Report = lambda event: None,
    until: int | None = None,
    state: FitState | None = None,
) -> Fit:
    """Learn one task, or a part of its epochs.

    Args:
        score: The task's metric. The epoch with the best score on the validation rows is chosen.
        seed: Seed of the run. All random numbers depend on it and on the name of the task. Those of the head and of the
            batches are the same for all learners, all others depend on the learner's seeds too.
        previous: Delta of an earlier task. A sequential learner continues training its body, without its head. A
            frozen-shared learner takes its common tensors and does not train them. Default: None, the first task.
        report: Receives progress about every 0.5 s: epoch, step, loss, rows per second. Default: no report.
        until: Epoch, from 1, after which the fit pauses. Its schedule and batches are those of all its epochs. Default:
            None, the fit runs to its end.
        state: Where an earlier call with the same other arguments paused; the fit goes on from there. Default: None,
            the fit begins.

    Raises:
        Diverged: The loss, a validation logit or a trained tensor is NaN or infinite. The message gives the step.
        InputError: The learner uses another trainer, or cannot apply to this backbone; `state` belongs to another fit
            or to a later epoch than `until`, or `until` is below 1.
    """
    started = time.perf_counter()
    if learner.trainer != LOOP:
        what = f"this learner uses trainer {learner.trainer}, not this training loop"
        raise InputError(what, where=f"learner {learner.name}", fix="run it in a stream")
    if not learner.trains:
        if learner.text_model is not None:
            return fit_texts(backbone, learner.text_model, data, score, seed, started)
        delta = frequencies(data)
        if not delta.tensors["head.bias"].isfinite().all():
            raise Diverged("the mean score of the training rows is not finite", 0)
        return Fit(delta, (), (), -1, time.perf_counter() - started, 0.0, len(data.train))
    slot = open_slot(backbone, Request(learner, data, score, seed, previous, report, until, state))
    with _as_global(slot.running.noise) if draws_globally(learner) else nullcontext():
        for step in slot.steps:
            compute(step)
    return closed(slot, until is not None)


def draws_globally(learner: Learner) -> bool:
    """Whether dropout in a fit by itself comes from PyTorch's global generator: peft knows no other, and a form of a
    plug-in may draw from it."""
    return bool(learner.peft or learner.plugins)


@contextmanager
def _as_global(generator: torch.Generator) -> Iterator[None]:
    """Within a `with` block, PyTorch's global generator draws what this one would."""
    kept = global_state(generator.device)
    try:
        set_global_state(generator.device, generator.get_state())
        yield
        generator.set_state(global_state(generator.device))
    finally:
        set_global_state(generator.device, kept)


@dataclass(eq=False)
class Step:
    """What a step of a fit asks for: a loss, and its gradients in the leaves of `tensors`.

    Attributes:
        rows: Number n of training rows. In a pack, copies of rows come after them, up to the batch size.
        longest: Tokens of the longest row. In a pack, more padding follows.
        batch: Inputs of the backbone, [B, S] each; B >= n.
        target: Targets of the n rows.
        tensors: Tensors of the Delta by name, gates applied.
        penalty: Added to the loss before the backward pass; not part of `loss`.
        states: Output of the frozen prefix for the batch; None if the learner has none.
        loss: Answer of whoever computes the step: the loss. If it is not finite, no gradients are needed.
    """

    slot: Slot
    rows: int
    longest: int
    batch: Mapping[str, Tensor]
    target: Tensor
    tensors: Mapping[str, Tensor]
    penalty: Tensor
    states: Tensor | None
    loss: float = float("nan")


@dataclass(eq=False)
class Slot:
    """A fit in progress: by itself, or as one of several in a pack (`learners.training.pack`).

    Attributes:
        steps: Yields the steps to compute. Between two of them it clips, takes the step of the optimiser, and after
            the last step of an epoch it validates.
        length_of: In a pack, gives the length of a batch for that of its longest row; all batches have the batch size.
            None: a batch has the rows of its plan, and is as long as its longest row.
        began: When it began, minus the duration of earlier parts (`time.perf_counter`).
    """

    fixed: Fixed
    running: Running
    score: Score
    report: Report
    until: int | None
    length_of: Callable[[int], int] | None
    began: float
    steps: Iterator[Step] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = _steps(self)


def open_slot(backbone: Backbone, request: Request, length_of: Callable[[int], int] | None = None) -> Slot:
    """Returns a fit before its first step, or where its state was taken. Errors as for `fit`.

    Args:
        length_of: As `Slot.length_of`. Default: None, the fit is by itself.
    """
    until, state = request.until, request.state
    if until is not None and until < max(1, state.epochs if state else 1):
        found = f"{until}, {state.epochs} are done" if state else str(until)
        raise InputError("the fit cannot pause there", where="until", expected="an epoch to come, from 1", found=found)
    began = time.perf_counter() - (state.seconds if state else 0.0)
    fixed = fixed_inputs(backbone, request.learner, request.data, request.seed, request.previous)
    running = begin(backbone, request.learner, request.data, request.seed, request.previous, state)
    if state is None:
        running.flops = flops_to_keep(fixed.frozen_prefix)
    report = _sometimes(request.report, time.perf_counter())
    return Slot(fixed, running, request.score, report, until, length_of, began)


def closed(slot: Slot, pauses: bool, seconds: float | None = None) -> Fit:
    """Returns the result of a fit after its last step.

    Args:
        pauses: Whether the result has the state with which the fit can go on.
        seconds: Duration of the fit. Default: None, the time since it began.
    """
    running = slot.running
    seconds = time.perf_counter() - slot.began if seconds is None else seconds
    return Fit(
        running.best,
        tuple(running.scores),
        tuple(running.losses),
        running.best_epoch,
        seconds,
        running.flops,
        running.examples,
        pause(running, seconds) if pauses else None,
    )


def compute(step: Step) -> None:
    """Computes a step by itself."""
    fixed, running = step.slot.fixed, step.slot.running
    training, noise = fixed.learner.training, GLOBAL if draws_globally(fixed.learner) else (running.noise,)
    output = logits(
        fixed.backbone, fixed.learner, step.tensors, step.batch, training.head_dropout, step.states,
        dropout=training.dropout, noise=noise,
    )  # fmt: skip
    loss = task_loss(output[: step.rows], step.target)
    step.loss = loss.item()
    if np.isfinite(step.loss):
        running.optimiser.zero_grad()
        torch.autograd.backward(loss + step.penalty)


def _sometimes(report: Report, started: float) -> Report:
    """Returns a report that passes on one event every `PROGRESS_SECONDS` and drops the others."""
    last = started

    def passing(event: dict[str, object]) -> None:
        nonlocal last
        if (now := time.perf_counter()) - last > PROGRESS_SECONDS:
            last = now
            report(event)

    return passing


def _steps(slot: Slot) -> Iterator[Step]:
    """Yields the steps of a fit; see `Slot.steps`.

    Raises:
        Diverged: A loss, a logit of a validation row or a tensor is NaN or infinite.
    """
    epochs = slot.fixed.learner.training.epochs
    for epoch in range(len(slot.running.scores), epochs if slot.until is None else min(slot.until, epochs)):
        if slot.running.ended:
            break
        yield from _train(slot, epoch)
        _validate(slot.fixed, slot.running, epoch, slot.score)


def _train(slot: Slot, epoch: int) -> Iterator[Step]:
    """Yields the steps of one epoch.

    Raises:
        Diverged: The loss is NaN or infinite.
    """
    fixed, running = slot.fixed, slot.running
    backbone, learner, data, training = fixed.backbone, fixed.learner, fixed.data, fixed.learner.training
    trainable, layers = running.trainable, backbone.architecture.layers
    total = 0.0
    for rows in training_plan(data.train, training.batch_size, fixed.order, epoch).batches:
        padded, longest = rows, int(data.train.lengths[rows].max())
        length = longest
        if slot.length_of is not None:
            padded = np.resize(rows, training.batch_size)
            length = longest if fixed.frozen_prefix else slot.length_of(longest)  # a head's pass has no tokens
        batch = collate(backbone, data.train, padded, length)
        target = to_device(np.asarray(data.train.target[rows]), backbone.device)
        target = (target - fixed.mean) / fixed.deviation if target.is_floating_point() else target
        set_rate(running.optimiser, schedule(running.step, fixed.steps, training.warmup, training.decay))
        weights = materialize(learner, trainable, layers)
        penalty = torch.zeros((), device=backbone.device)
        if learner.gates is not None:
            for name, a in running.gates.items():
                weights[name] = trainable[name] * learner.gates.sample(a, running.sampler)
                penalty = penalty + learner.penalty * learner.gates.probability(a).sum()
        states = None if fixed.frozen_prefix is None else fixed.frozen_prefix.of(padded, batch)
        step = Step(slot, len(rows), longest, batch, target, weights, penalty, states)
        yield step
        value = step.loss
        if not np.isfinite(value):
            where = f"at step {running.step + 1} of {fixed.steps} (epoch {epoch + 1})"
            raise Diverged(f"the loss is {value} {where}", running.step + 1, running.flops)
        clip_gradients(trainable.values(), training.clip)
        running.optimiser.step()
        clamp_gates(learner, running.gates)
        hold(running.masks, trainable)
        running.step, running.examples = running.step + 1, running.examples + len(rows)
        running.flops += total_flops(fixed.per_row, *batch["input_ids"].shape)
        total += value * len(rows)
        rate = running.examples / (time.perf_counter() - slot.began)
        slot.report({"epoch": epoch + 1, "epochs": training.epochs, "step": running.step, "steps": fixed.steps,
                     "loss": value, "examples_per_second": rate})  # fmt: skip
    running.losses.append(total / len(data.train))


def _validate(fixed: Fixed, running: Running, epoch: int, score: Score) -> None:
    """Scores an epoch on the validation rows, after pruning if it is due, and keeps its Delta if it is the best.

    Raises:
        Diverged: A logit, the loss or a tensor is NaN or infinite.
    """
    learner, data, trainable = fixed.learner, fixed.data, running.trainable
    if learner.pruning is not None and epoch + 1 == learner.pruning.epoch(learner.training.epochs):
        running.masks, running.gates = prune(learner, learner.pruning, trainable, running.gates), {}
        running.best_key = (-np.inf, -np.inf)  # scores before pruning do not count
    tensors = materialize(learner, trainable, fixed.backbone.architecture.layers)
    pruned = fixed.sparse | frozenset(running.masks)
    candidate = to_delta(learner, tensors, running.gates, fixed.mean, fixed.deviation, pruned)
    answers = predict(fixed.backbone, learner, candidate, data.validation, fixed.plan, fixed.frozen_validation)
    loss = validation_loss(answers, data.validation.target)
    if (found := not_finite(candidate, answers, loss)) is not None:
        where = f"after step {running.step} of {fixed.steps} (epoch {epoch + 1})"
        raise Diverged(f"{found} {where}", running.step, running.flops)
    running.scores.append(score(np.asarray(data.validation.target), answers))
    key = (running.scores[-1], -loss)  # a tied score goes to the lower loss
    if key > running.best_key:
        running.best, running.best_key, running.best_epoch = candidate, key, epoch
    elif learner.training.stops(epoch - running.best_epoch) and (learner.pruning is None or running.masks):
        running.ended = True


def to_delta(
    learner: Learner,
    trainable: Mapping[str, Tensor],
    gates: Mapping[str, Tensor],
    mean: float = 0.0,
    deviation: float = 1.0,
    pruned: frozenset[str] = frozenset(),
) -> Delta:
    """Make a Delta from the current tensors. Copies them, scales the head back and applies deterministic gates.

    Args:
        trainable: Tensors of the Delta, by name.
        gates: Gate parameters a, by the name of the gated tensor.
        mean: Mean of the training targets (`target_scale`). Default: 0.
        deviation: Standard deviation of the training targets. Default: 1.
        pruned: Names of tensors whose zeros are pruned, in addition to the gated ones. Default: none.
    """
    tensors = {name: leaf.detach().to("cpu", copy=True) for name, leaf in trainable.items()}
    tensors["head.weight"] *= deviation
    tensors["head.bias"] = tensors["head.bias"] * deviation + mean
    if learner.gates is not None:
        for name, a in gates.items():
            tensors[name] *= learner.gates.deterministic(a.detach().cpu())
    return Delta(tensors, pruned | frozenset(gates))
