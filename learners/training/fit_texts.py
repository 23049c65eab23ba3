"""Fits without gradients: learners that read texts, and the one that counts labels."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
import torch

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.device import to_device, to_host
from learners.nobert.fit import fit_text_model
from learners.specification.text_model import TextModel
from learners.training.divergence import Diverged, not_finite
from learners.training.loss import validation_loss
from learners.training.result import Fit, Score
from tasks.encoded import EncodedTask


def fit_texts(backbone: Backbone, model: TextModel, data: EncodedTask, score: Score, seed: int, started: float) -> Fit:
    """Learn one task from its texts. The result has a validation score for each candidate, and no training loss.

    If all training rows have one label, every candidate answers it. Each row counts once as an example, however many
    candidates read it. Arguments as for `learners.training.fit.fit`; `started` is when it was called.
    """
    if not np.isfinite(data.train.target).all():
        raise Diverged("a score of the training rows is not finite", 0)
    target = np.asarray(data.validation.target)
    if len(np.unique(data.train.target)) == 1:
        delta = frequencies(data)
        same = score(target, np.tile(to_host(delta.tensors["head.bias"]), (len(target), 1)))
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
        bias = to_device(np.log(counts / counts.sum()).astype(np.float32))
    return Delta({"head.bias": bias})
