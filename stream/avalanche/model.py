"""The model that a strategy of Avalanche trains: a copy of the backbone's weights and a head for each task.

It answers as every learner does (`learners.forward.forward.pooled`), in the backbone's dtype from float32 weights, so
what a strategy makes of it is a Delta like any other.
"""

# mypy: disable-error-code="misc"
from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learners.backbones.backbone import Backbone
from learners.forward.dropout import dropout
from learners.forward.flops import flops_per_row, total_flops
from learners.forward.forward import dropout_active, pooled
from learners.specification.learner import Learner
from learners.training.fit import task_loss
from stream.avalanche.library import MultiTaskModule
from tasks.errors import InputError

MASKED = -1000.0  # logit of a class that a task has not, as in Avalanche's MultiHeadClassifier: its softmax is 0


@dataclass(eq=False)
class Surroundings:
    """What a model and its copies, such as old models for distillation, have in common.

    Attributes:
        first_head: Weight [C, d] and bias [C] of a task's new head, by its task label.
        flops: Of all passes so far, with their backward passes where gradients are asked for.
    """

    backbone: Backbone
    learner: Learner
    first_head: Callable[[int], tuple[Tensor, Tensor]]
    flops: float = 0.0

    def __deepcopy__(self, memo: dict[int, Any]) -> Surroundings:
        return self


class Classifier(MultiTaskModule):
    """Logits of texts, by task. Its parameters are `backbone.<name>`, and `heads.<task label>.weight` and `.bias`."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__()
        self.around = around
        with torch.inference_mode(False):
            self.backbone = copy.deepcopy(around.backbone.model).float()
        for name, parameter in self.backbone.named_parameters():
            parameter.data = around.backbone.weights[name].clone()  # not rounded to the backbone's dtype
            parameter.requires_grad_(True)
        self.heads = nn.ModuleDict()

    def adaptation(self, experience: Any) -> None:
        """Add a head for each new task of an experience, as Avalanche asks before training and evaluation."""
        for label in experience.task_labels:
            if str(label) not in self.heads:
                weight, bias = self.around.first_head(label)
                head = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
                head.weight, head.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
                self.heads[str(label)] = head

    def changed(self) -> Iterator[Tensor]:
        """Its tensors that are not as in the backbone."""
        named = [*self.backbone.named_parameters(), *self.backbone.named_buffers()]
        model, weights = self.around.backbone.model, self.around.backbone.weights
        frozen = {**dict(model.named_buffers()), **weights}
        yield from (tensor for name, tensor in named if not torch.equal(tensor, frozen[name].to(tensor.dtype)))
        yield from self.heads.parameters()

    def forward(self, x: Mapping[str, Tensor], task_labels: Tensor | int | None) -> Tensor | dict[int, Tensor]:
        """Logits of rows.

        Args:
            x: `input_ids`, `attention_mask`, `token_type_ids` [B, S].
            task_labels: [B], or one for all rows, or None.

        Returns:
            [B, C]; of rows of several tasks [B, widest C], `MASKED` for classes that the row's task has not. Without
            task labels, those of every head by task label.

        Raises:
            InputError: A strategy asks for a head that is not here, such as one newer than this copy.
        """
        features = self._features(x)
        if task_labels is None:
            answers = {int(label): head(features) for label, head in self.heads.items()}
            self._count(x, sum(answer.shape[1] for answer in answers.values()))
            return answers
        labels = sorted({task_labels} if isinstance(task_labels, int) else set(task_labels.tolist()))
        heads = [self._head(label) for label in labels]
        widest = max(head.out_features for head in heads)
        self._count(x, widest)
        if len(heads) == 1:
            only: Tensor = heads[0](features)
            return only
        output = features.new_full((len(features), widest), MASKED)
        for label, head in zip(labels, heads, strict=True):
            rows = task_labels == label
            output[rows, : head.out_features] = head(features[rows])
        return output

    def _head(self, label: int) -> nn.Linear:
        if str(label) not in self.heads:
            where, expected = f"learner {self.around.learner.name}", f"one of {len(self.heads)} heads"
            what = "avalanche cannot train this: it asks a model for a head that this has not"
            raise InputError(what, where=where, expected=expected, found=f"task label {label}")
        return cast(nn.Linear, self.heads[str(label)])

    def _features(self, x: Mapping[str, Tensor]) -> Tensor:
        """Pooled outputs [B, d], float32, under dropout while training."""
        backbone, learner = self.around.backbone, self.around.learner
        inputs = dict(x)
        if backbone.architecture.types < 2:
            del inputs["token_type_ids"]
        weights = {f"backbone.{name}": parameter for name, parameter in self.backbone.named_parameters()}
        with dropout_active(backbone, self.training and learner.training.dropout):
            features = pooled(backbone, learner, weights, inputs).float()
            return dropout(features, learner.training.head_dropout) if self.training else features

    def _count(self, x: Mapping[str, Tensor], outputs: int) -> None:
        around = self.around
        per_row = flops_per_row(around.backbone, around.learner, outputs, backward=torch.is_grad_enabled())
        around.flops += total_flops(per_row, *x["input_ids"].shape)


def loss_of(output: Tensor, target: Tensor) -> Tensor:
    """Mean loss of rows that may be of several tasks: cross-entropy, and squared error of tasks with one output.

    Of rows of one kind it is `learners.training.fit.task_loss`, in the same bits.

    Args:
        output: As `Classifier` gives it, [B, C].
        target: Classes or scores [B].

    Raises:
        InputError: A strategy asks for the loss of something else.
    """
    if not isinstance(output, Tensor):
        found = type(output).__name__
        raise InputError("avalanche cannot train this: its loss is not of logits and targets", found=found)
    if not target.is_floating_point() or output.shape[1] == 1:
        return task_loss(output, target)
    scores = output[:, 1] == MASKED
    errors = F.mse_loss(output[scores, 0], target[scores], reduction="none")
    return torch.cat([errors, F.cross_entropy(output[~scores], target[~scores].long(), reduction="none")]).mean()
