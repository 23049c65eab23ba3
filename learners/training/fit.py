"""The training loop, the same for each learner: (backbone, initial Delta, learner, task, seed) -> Delta.

For each epoch, for each batch: learning rate, loss, backward, clip, AdamW step. After each epoch: validate. The result
is the Delta of the best epoch.

A fit may pause after some epochs and go on from its state later. The result has the bits of a fit that never paused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.delta.prune import hold, prune
from learners.delta.reparametrise import materialize
from learners.forward.batches import collate, training_plan
from learners.forward.flops import flops_to_keep
from learners.forward.forward import logits
from learners.forward.polynomial import total_flops
from learners.nobert.fit import fit_text_model
from learners.specification.learner import LOOP, Learner
from learners.specification.text_model import TextModel
from learners.training.divergence import Diverged, not_finite
from learners.training.fixed import Fixed, fixed_inputs
from learners.training.loss import task_loss, validation_loss
from learners.training.optimiser import clamp_gates, clip_gradients, schedule, set_rate
from learners.training.predict import predict
from learners.training.running import Running, begin, pause
from learners.training.state import FitState
from tasks.encoded import EncodedTask
from tasks.errors import InputError
from tasks.seeds import seed_of

Score = Callable[[np.ndarray, np.ndarray], float]  # (target [n], logits [n, C]) -> the task's metric
Report = Callable[[dict[str, object]], None]
PROGRESS_SECONDS = 0.5  # time between two progress reports; a terminal shows four frames per second


@dataclass(frozen=True, eq=False)
class Fit:
    """The result of a fit.

    Attributes:
        delta: The Delta of the best epoch.
        validation: Validation score after each epoch, in the task's metric; or of each candidate of a learner that
            reads texts, in the order of `TextModel.candidates`.
        losses: Mean training loss of each epoch.
        best: Index of the best epoch or candidate, from 0. -1 if the learner does not train.
        seconds: Duration of the fit, pauses left out.
        flops: FLOPs of all matrix products in training, forward and backward, padding included.
        examples: Number of training rows, summed over all epochs.
        state: Where the fit has paused; None (default) unless `until` was given.
    """

    delta: Delta
    validation: tuple[float, ...]
    losses: tuple[float, ...]
    best: int
    seconds: float
    flops: float
    examples: int
    state: FitState | None = None


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
            return _fit_texts(backbone, learner.text_model, data, score, seed, started)
        delta = frequencies(data)
        if not delta.tensors["head.bias"].isfinite().all():
            raise Diverged("the mean score of the training rows is not finite", 0)
        return Fit(delta, (), (), -1, time.perf_counter() - started, 0.0, len(data.train))
    if until is not None and until < max(1, state.epochs if state else 1):
        found = f"{until}, {state.epochs} are done" if state else str(until)
        raise InputError("the fit cannot pause there", where="until", expected="an epoch to come, from 1", found=found)
    fixed = fixed_inputs(backbone, learner, data, seed, previous)
    running = begin(backbone, learner, data, seed, previous, state)
    if state is None:
        running.flops = flops_to_keep(fixed.frozen_prefix)
    report, epochs = _sometimes(report, started), learner.training.epochs
    started -= state.seconds if state else 0.0
    with torch.random.fork_rng(devices=[]):
        if state is None:
            torch.manual_seed(seed_of(seed, learner.seeds, data.task.name, "dropout"))
        else:
            torch.set_rng_state(state.dropout)
        for epoch in range(len(running.scores), epochs if until is None else min(until, epochs)):
            if running.ended:
                break
            _train(fixed, running, epoch, started, report)
            _validate(fixed, running, epoch, score)
        paused = None if until is None else pause(running, time.perf_counter() - started)
    seconds = time.perf_counter() - started
    return Fit(
        running.best,
        tuple(running.scores),
        tuple(running.losses),
        running.best_epoch,
        seconds,
        running.flops,
        running.examples,
        paused,
    )


def _sometimes(report: Report, started: float) -> Report:
    """Returns a report that passes on one event every `PROGRESS_SECONDS` and drops the others."""
    last = started

    def passing(event: dict[str, object]) -> None:
        nonlocal last
        if (now := time.perf_counter()) - last > PROGRESS_SECONDS:
            last = now
            report(event)

    return passing


def _train(fixed: Fixed, running: Running, epoch: int, started: float, report: Report) -> None:
    """Trains for one epoch.

    Raises:
        Diverged: The loss is NaN or infinite.
    """
    backbone, learner, data, training = fixed.backbone, fixed.learner, fixed.data, fixed.learner.training
    trainable, layers = running.trainable, backbone.architecture.layers
    total = 0.0
    for rows in training_plan(data.train, training.batch_size, fixed.order, epoch).batches:
        batch = collate(backbone, data.train, rows)
        target = torch.from_numpy(np.asarray(data.train.target[rows]))
        target = (target - fixed.mean) / fixed.deviation if target.is_floating_point() else target
        set_rate(running.optimiser, schedule(running.step, fixed.steps, training.warmup, training.decay))
        weights = materialize(learner, trainable, layers)
        penalty = torch.zeros(())
        if learner.gates is not None:
            for name, a in running.gates.items():
                weights[name] = trainable[name] * learner.gates.sample(a, running.sampler)
                penalty = penalty + learner.penalty * learner.gates.probability(a).sum()
        states = None if fixed.frozen_prefix is None else fixed.frozen_prefix.of(rows, batch)
        output = logits(backbone, learner, weights, batch, training.head_dropout, states, dropout=training.dropout)
        loss = task_loss(output, target)
        value = loss.item()
        if not np.isfinite(value):
            where = f"at step {running.step + 1} of {fixed.steps} (epoch {epoch + 1})"
            raise Diverged(f"the loss is {value} {where}", running.step + 1, running.flops)
        running.optimiser.zero_grad()
        torch.autograd.backward(loss + penalty)
        clip_gradients(trainable.values(), training.clip)
        running.optimiser.step()
        clamp_gates(learner, running.gates)
        hold(running.masks, trainable)
        running.step, running.examples = running.step + 1, running.examples + len(rows)
        running.flops += total_flops(fixed.per_row, *batch["input_ids"].shape)
        total += value * len(rows)
        rate = running.examples / (time.perf_counter() - started)
        report({"epoch": epoch + 1, "epochs": training.epochs, "step": running.step, "steps": fixed.steps,
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
    tensors = {name: leaf.detach().clone() for name, leaf in trainable.items()}
    tensors["head.weight"] *= deviation
    tensors["head.bias"] = tensors["head.bias"] * deviation + mean
    if learner.gates is not None:
        for name, a in gates.items():
            tensors[name] *= learner.gates.deterministic(a.detach())
    return Delta(tensors, pruned | frozenset(gates))


def _fit_texts(backbone: Backbone, model: TextModel, data: EncodedTask, score: Score, seed: int, started: float) -> Fit:
    """Learn one task from its texts. The result has a validation score for each candidate, and no training loss.

    If all training rows have one label, every candidate answers it. Each row counts once as an example, however many
    candidates read it. Arguments as for `fit`; `started` is when it was called.
    """
    if not np.isfinite(data.train.target).all():
        raise Diverged("a score of the training rows is not finite", 0)
    target = np.asarray(data.validation.target)
    if len(np.unique(data.train.target)) == 1:
        delta = frequencies(data)
        same = score(target, np.tile(delta.tensors["head.bias"].numpy(), (len(target), 1)))
        scores = (same,) * len(model.candidates)
        return Fit(delta, scores, (), 0, time.perf_counter() - started, 0.0, len(data.train))
    found = fit_text_model(
        model, backbone.tokenizer, data, seed, partial(score, target), lambda logits: validation_loss(logits, target)
    )
    delta = Delta(found.tensors, frozenset(name for name in found.tensors if name.startswith("added.")))
    if (broken := not_finite(delta, found.logits, validation_loss(found.logits, target))) is not None:
        raise Diverged(broken, 0, found.flops)
    seconds = time.perf_counter() - started
    return Fit(delta, found.scores, (), found.best, seconds, found.flops, len(data.train))


def frequencies(data: EncodedTask) -> Delta:
    """The Delta of the learner `majority`, only a bias.

    It holds the logarithms of the label frequencies of the training rows, with one added to each count. For a
    regression it holds the mean target.
    """
    target = np.asarray(data.train.target)
    if data.task.kind == "regression":
        bias = torch.tensor([float(target.mean())])
    else:
        counts = np.bincount(target, minlength=data.task.outputs) + 1
        bias = torch.from_numpy(np.log(counts / counts.sum()).astype(np.float32))
    return Delta({"head.bias": bias})
