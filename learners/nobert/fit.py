"""Fits every candidate of a text model and keeps the one with the best validation score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from learners.device import to_device
from learners.nobert.features import Features
from learners.nobert.pipelines import Fitter
from learners.nobert.predict import logits_of
from learners.nobert.texts import texts_of
from learners.specification.text_model import TextModel
from tasks.encoded import EncodedTask
from tasks.tokenizer import Tokenizer

Measure = Callable[[np.ndarray], float]  # validation logits [n, C] -> a number


@dataclass(frozen=True, eq=False)
class Chosen:
    """The result of a search over the candidates.

    Attributes:
        tensors: All tensors of the Delta by name, those that the winner does not use are 0.
        scores: Validation score of each candidate, in the order of `TextModel.candidates`.
        best: Index of the winner.
        logits: Validation logits of the winner, [n, C].
        flops: FLOPs of the products of all candidates: two for each stored number of the rows and output in each
            iteration of a linear model, and again for its gradient; forward and backward of the network; the
            factorisation of the word vectors. Counting words, and the matrices of the solver, do not count.
    """

    tensors: dict[str, Tensor]
    scores: tuple[float, ...]
    best: int
    logits: np.ndarray
    flops: float


def fit_text_model(
    model: TextModel, tokenizer: Tokenizer, data: EncodedTask, seed: int, score: Measure, loss: Measure
) -> Chosen:
    """Learns one task from its training rows. Reads the validation rows to choose, and no test row.

    The training rows must have two classes or more.

    Args:
        tokenizer: Tokenizer that encoded the rows.
        seed: Seed of the run. With the task's name it gives the seeds of the word vectors and of the network.
        score: Validation score; the highest wins.
        loss: Validation loss; the lower one wins between equal scores, then the earlier candidate.
    """
    train, validation = (Features(texts_of(tokenizer, split), model.buckets) for split in (data.train, data.validation))
    scores_wanted = data.task.kind == "regression"
    fitter = Fitter(model, train, np.asarray(data.train.target), data.task.outputs, scores_wanted, seed, data.task.name)
    found: list[tuple[tuple[float, float], dict[str, Tensor], np.ndarray]] = []
    flops = 0.0
    for candidate in model.candidates:
        arrays, spent = fitter.fit(candidate)
        tensors = {name: to_device(array) for name, array in arrays.items()}
        logits = logits_of(tensors, validation)
        found.append(((score(logits), -loss(logits)), tensors, logits))
        flops += spent
    best = max(range(len(found)), key=lambda index: found[index][0])
    _, tensors, logits = found[best]
    whole = {name: tensors.get(name, torch.zeros(shape)) for name, shape in model.shapes(data.task.outputs).items()}
    scores = tuple(key[0] for key, _, _ in found)
    return Chosen({**whole, "head.bias": tensors["head.bias"]}, scores, best, logits, flops + sum(fitter.spent))
