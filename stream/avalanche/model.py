"""The model that an Avalanche strategy trains: a copy of the backbone and a head for each task.

It has the same forward pass as every learner (`learners.forward.forward.pooled`), in the backbone's dtype from float32
weights. So its trained weights are a Delta like any other.
"""

# mypy: disable-error-code="misc"
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learners.backbones.backbone import Backbone
from learners.backbones.module_tree import module_tree
from learners.forms.dropout import dropout
from learners.forward.flops import flops_per_row
from learners.forward.forward import pooled
from learners.forward.polynomial import total_flops
from learners.specification.learner import Learner
from learners.training.loss import task_loss
from stream.avalanche.library import MultiTaskModule
from tasks.errors import InputError

MASKED = -1000.0  # logit of a class that a task does not have, as in Avalanche's MultiHeadClassifier: softmax gives 0


@dataclass(eq=False)
class SharedState:
    """State that a model shares with its copies, such as old models for distillation.

    Attributes:
        first_head: Returns weight [C, d] and bias [C] of a task's initial head, by its task label.
        flops: Floating point operations of all forward passes so far, and of backward passes if gradients are enabled.
    """

    backbone: Backbone
    learner: Learner
    first_head: Callable[[int], tuple[Tensor, Tensor]]
    flops: float = 0.0

    def __deepcopy__(self, memo: dict[int, Any]) -> SharedState:
        return self


class Classifier(MultiTaskModule):
    """Computes logits of texts, by task.

    Its parameters are `backbone.<name>`, `heads.<task label>.weight` and `heads.<task label>.bias`.
    """

    def __init__(self, shared: SharedState) -> None:
        super().__init__()
        self.shared = shared
        with torch.inference_mode(False):  # in float32: not rounded to the backbone's dtype
            weights = {name: nn.Parameter(tensor.clone()) for name, tensor in shared.backbone.weights.items()}
        self.backbone = module_tree(weights)
        self.heads = nn.ModuleDict()

    def adaptation(self, experience: Any) -> None:
        """Adds a head for each new task of an experience. Avalanche calls this before training and evaluation."""
        for label in experience.task_labels:
            if str(label) not in self.heads:
                weight, bias = self.shared.first_head(label)
                head = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
                head.weight, head.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
                self.heads[str(label)] = head

    def changed(self) -> Iterator[Tensor]:
        """Yields the tensors that differ from the backbone, and all heads."""
        frozen = self.shared.backbone.weights
        named = self.backbone.named_parameters()
        yield from (parameter for name, parameter in named if not torch.equal(parameter, frozen[name]))
        yield from self.heads.parameters()

    def forward(self, x: Mapping[str, Tensor], task_labels: Tensor | int | None) -> Tensor | dict[int, Tensor]:
        """Computes the logits of rows.

        Args:
            x: `input_ids`, `attention_mask`, `token_type_ids` [B, S].
            task_labels: Task labels [B], one label for all rows, or None for all heads.

        Returns:
            Logits [B, C]. For rows of several tasks [B, largest C], with `MASKED` for classes that a task does not
            have. Without task labels, the logits of every head, by task label.

        Raises:
            InputError: The model has no such head, for example because the head is newer than this copy.
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
            where, expected = f"learner {self.shared.learner.name}", f"one of {len(self.heads)} heads"
            what = "avalanche cannot train this: its model has no head for this task"
            raise InputError(what, where=where, expected=expected, found=f"task label {label}")
        return cast(nn.Linear, self.heads[str(label)])

    def _features(self, x: Mapping[str, Tensor]) -> Tensor:
        """Returns pooled outputs [B, d], float32; with dropout while training."""
        backbone, learner = self.shared.backbone, self.shared.learner
        inputs = dict(x)
        if backbone.architecture.types < 2:
            del inputs["token_type_ids"]
        weights = {f"backbone.{name}": parameter for name, parameter in self.backbone.named_parameters()}
        active = self.training and learner.training.dropout
        features = pooled(backbone, learner, weights, inputs, dropout=active).float()
        return dropout(features, learner.training.head_dropout) if self.training else features

    def _count(self, x: Mapping[str, Tensor], outputs: int) -> None:
        shared = self.shared
        architecture = shared.backbone.architecture
        per_row = flops_per_row(architecture, shared.learner, outputs, backward=torch.is_grad_enabled())
        shared.flops += total_flops(per_row, *x["input_ids"].shape)


def loss_of(output: Tensor, target: Tensor) -> Tensor:
    """Returns the mean loss of rows of one or several tasks: cross-entropy, or squared error for tasks with one output.

    For rows of one kind it equals `learners.training.loss.task_loss` bit for bit.

    Args:
        output: Logits from `Classifier`, [B, C].
        target: Classes or scores [B].

    Raises:
        InputError: `output` is not a tensor of logits.
    """
    if not isinstance(output, Tensor):
        found = type(output).__name__
        raise InputError("avalanche cannot train this: its loss does not use logits and targets", found=found)
    if not target.is_floating_point() or output.shape[1] == 1:
        return task_loss(output, target)
    scores = output[:, 1] == MASKED
    errors = F.mse_loss(output[scores, 0], target[scores], reduction="none")
    return torch.cat([errors, F.cross_entropy(output[~scores], target[~scores].long(), reduction="none")]).mean()
