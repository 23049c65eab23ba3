"""The training loop, the same for each learner: (backbone, initial Delta, learner, task, seed) -> Delta.

For each epoch, for each batch: learning rate, loss, backward, clip, AdamW step. After each epoch: validate. The result
is the Delta of the best epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.delta.initial import added_gates, frozen_names, initial_trainable
from learners.delta.prune import hold, prune
from learners.delta.reparametrise import materialize
from learners.forward.batches import collate, evaluation_plan, training_plan
from learners.forward.flops import flops_per_row, flops_to_keep
from learners.forward.forward import logits
from learners.forward.frozen_prefix import open_frozen_prefix
from learners.forward.polynomial import total_flops
from learners.specification.learner import LOOP, Learner, peak_rate
from learners.training.adamw import AdamW
from learners.training.divergence import Diverged, not_finite
from learners.training.optimiser import EPSILON, clamp_gates, groups_of, schedule, set_rate
from learners.training.predict import predict
from tasks.encoded import EncodedTask
from tasks.errors import InputError
from tasks.seeds import generator, order_seed, seed_of

Score = Callable[[np.ndarray, np.ndarray], float]  # (target [n], logits [n, C]) -> the task's metric
Report = Callable[[dict[str, object]], None]
PROGRESS_SECONDS = 0.5  # time between two progress reports; a terminal shows four frames per second


@dataclass(frozen=True, eq=False)
class Fit:
    """The result of a fit.

    Attributes:
        delta: The Delta of the best epoch.
        validation: Validation score after each epoch, in the task's metric.
        losses: Mean training loss of each epoch.
        best: Index of the best epoch, from 0. -1 if the learner does not train.
        seconds: Duration of the fit.
        flops: FLOPs of all matrix products in training, forward and backward, padding included.
        examples: Number of training rows, summed over all epochs.
    """

    delta: Delta
    validation: tuple[float, ...]
    losses: tuple[float, ...]
    best: int
    seconds: float
    flops: float
    examples: int


def fit(
    backbone: Backbone,
    learner: Learner,
    data: EncodedTask,
    score: Score,
    seed: int,
    previous: Delta | None = None,
    report: Report = lambda event: None,
) -> Fit:
    """Learn one task.

    Args:
        score: The task's metric. The epoch with the best score on the validation rows is chosen.
        seed: Seed of the run. All random numbers depend on it and on the name of the task. Those of the head and of the
            batches are the same for all learners, all others depend on the learner's seeds too.
        previous: Delta of an earlier task. A sequential learner continues training its body, without its head. A
            frozen-shared learner takes its common tensors and does not train them. Default: None, the first task.
        report: Receives progress about every 0.5 s: epoch, step, loss, rows per second. Default: no report.

    Raises:
        Diverged: The loss, a validation logit or a trained tensor is NaN or infinite. The message gives the step.
        InputError: The learner uses another trainer, or cannot apply to this backbone.
    """
    started = time.perf_counter()
    if learner.trainer != LOOP:
        what = f"this learner uses trainer {learner.trainer}, not this training loop"
        raise InputError(what, where=f"learner {learner.name}", fix="run it in a stream")
    if not learner.trains:
        delta = frequencies(data)
        if not delta.tensors["head.bias"].isfinite().all():
            raise Diverged("the mean score of the training rows is not finite", 0)
        return Fit(delta, (), (), -1, time.perf_counter() - started, 0.0, len(data.train))
    training = learner.training
    layers = backbone.architecture.layers
    start = initial_trainable(backbone, learner, data.task, seed, previous)
    empty = frozenset(name for name in start if learner.pruning is not None and name.startswith("difference."))
    first = Delta(materialize(learner, start, layers), empty)
    frozen = frozen_names(learner, previous)
    trainable = {name: tensor.clone().requires_grad_(name not in frozen) for name, tensor in start.items()}
    free = {name: leaf for name, leaf in trainable.items() if name not in frozen}
    gates = added_gates(learner, free, generator(seed, learner.seeds, data.task.name, "gates"))
    sampler = generator(seed, learner.seeds, data.task.name, "gate noise")
    order = order_seed(seed, data.task.name)
    peak = peak_rate(training, backbone.architecture.hidden)
    gate_rate = None if learner.gates is None else learner.gates.learning_rate
    optimiser = AdamW(groups_of(training, free, gates, peak, gate_rate), EPSILON)
    mean, deviation = target_scale(data)
    steps = max(1, training.epochs * -(-len(data.train) // training.batch_size))
    plan = evaluation_plan(data.validation)
    frozen_prefix, frozen_validation = (
        open_frozen_prefix(backbone, learner, split) for split in (data.train, data.validation)
    )
    kept = frozen_prefix is not None and frozen_prefix.kept is not None
    per_row = flops_per_row(
        backbone.architecture,
        learner,
        data.task.outputs,
        backward=True,
        frozen=frozen,
        above=kept,
        load=lambda: backbone,
    )
    best, best_key, best_epoch = first, (-np.inf, -np.inf), -1
    scores: list[float] = []
    losses: list[float] = []
    step, flops, examples, reported = 0, flops_to_keep(frozen_prefix), 0, started
    masks: dict[str, Tensor] = {}
    sparse = frozen & previous.pruned if previous is not None else frozenset()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, learner.seeds, data.task.name, "dropout"))
        for epoch in range(training.epochs):
            running = 0.0
            for rows in training_plan(data.train, training.batch_size, order, epoch).batches:
                batch = collate(backbone, data.train, rows)
                target = torch.from_numpy(np.asarray(data.train.target[rows]))
                target = (target - mean) / deviation if target.is_floating_point() else target
                set_rate(optimiser, schedule(step, steps, training.warmup))
                weights = materialize(learner, trainable, layers)
                penalty = torch.zeros(())
                if learner.gates is not None:
                    for name, a in gates.items():
                        weights[name] = trainable[name] * learner.gates.sample(a, sampler)
                        penalty = penalty + learner.penalty * learner.gates.probability(a).sum()
                states = None if frozen_prefix is None else frozen_prefix.of(rows, batch)
                output = logits(
                    backbone, learner, weights, batch, training.head_dropout, states, dropout=training.dropout
                )
                loss = task_loss(output, target)
                value = loss.item()
                if not np.isfinite(value):
                    where = f"at step {step + 1} of {steps} (epoch {epoch + 1})"
                    raise Diverged(f"the loss is {value} {where}", step + 1, flops)
                optimiser.zero_grad()
                torch.autograd.backward(loss + penalty)
                nn.utils.clip_grad_norm_([leaf for leaf in trainable.values() if leaf.grad is not None], training.clip)
                optimiser.step()
                clamp_gates(learner, gates)
                hold(masks, trainable)
                step, running, examples = step + 1, running + value * len(rows), examples + len(rows)
                flops += total_flops(per_row, *batch["input_ids"].shape)
                if (now := time.perf_counter()) - reported > PROGRESS_SECONDS:
                    rate = examples / (now - started)
                    report({"epoch": epoch + 1, "epochs": training.epochs, "step": step, "steps": steps,
                            "loss": value, "examples_per_second": rate})  # fmt: skip
                    reported = now
            losses.append(running / len(data.train))
            if learner.pruning is not None and epoch + 1 == learner.pruning.epoch(training.epochs):
                masks, gates = prune(learner, learner.pruning, trainable, gates), {}
                best_key = (-np.inf, -np.inf)  # scores before pruning do not count
            tensors = materialize(learner, trainable, layers)
            candidate = to_delta(learner, tensors, gates, mean, deviation, sparse | frozenset(masks))
            answers = predict(backbone, learner, candidate, data.validation, plan, frozen_validation)
            loss_now = validation_loss(answers, data.validation.target)
            if (found := not_finite(candidate, answers, loss_now)) is not None:
                raise Diverged(f"{found} after step {step} of {steps} (epoch {epoch + 1})", step, flops)
            scores.append(score(np.asarray(data.validation.target), answers))
            key = (scores[-1], -loss_now)  # a tied score goes to the lower loss
            if key > best_key:
                best, best_key, best_epoch = candidate, key, epoch
            elif epoch - best_epoch >= training.patience and (learner.pruning is None or masks):
                break
    seconds = time.perf_counter() - started
    return Fit(best, tuple(scores), tuple(losses), best_epoch, seconds, flops, examples)


def task_loss(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of logits [B, C], or mean squared error of [B, 1] for a real-valued target [B]."""
    if target.is_floating_point():
        return F.mse_loss(output.squeeze(1), target.to(output.dtype))
    return F.cross_entropy(output, target)


def validation_loss(output: np.ndarray, target: np.ndarray) -> float:
    """`task_loss` of all validation rows at once: logits [n, C], target [n]."""
    return task_loss(torch.from_numpy(output), torch.from_numpy(np.array(target))).item()  # torch needs a writable copy


def target_scale(data: EncodedTask) -> tuple[float, float]:
    """Mean and standard deviation of the training targets of a regression; (0, 1) for classification.

    A regression trains on standardised targets, and `to_delta` scales its head back. The model can learn the same
    functions. But the first steps need not move a head near zero to the mean (2.7 of 5 on STS-B).
    """
    if data.task.kind != "regression":
        return 0.0, 1.0
    target = np.asarray(data.train.target, dtype=np.float64)
    return float(target.mean()), float(target.std()) or 1.0


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
