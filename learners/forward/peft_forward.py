"""The forward pass of a backbone with a method of the peft library.

peft changes modules of transformers, so this pass goes through them. All other learners have a forward pass of plain
functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from learners.backbones.backbone import Backbone
from learners.delta.peft_modules import PART, injected_model
from learners.forms.dropout import dropout as dropped
from learners.specification.learner import Learner


def peft_output(
    backbone: Backbone, learner: Learner, tensors: Mapping[str, Tensor], batch: Mapping[str, Tensor], dropout: bool
) -> tuple[Tensor, Tensor | None]:
    """Returns the last hidden states [B, S, d] and the pooler's output [B, d], None if there is no pooler.

    Args:
        learner: A learner with a method of peft, `learner.peft`.
        tensors: Tensors of a Delta by name. They are cast to the backbone's dtype. Those of the head are not used.
        batch: `input_ids`, `attention_mask` and, if the backbone takes them, `token_type_ids`: [B, S].
        dropout: Whether the dropout of the encoder and of the method is active. It draws from PyTorch's global
            generator.

    Raises:
        InputError: As `learners.delta.peft_modules.injected_model`.
    """
    model = injected_model(backbone, learner.peft)
    own = {name[len(PART) :]: each.to(backbone.dtype) for name, each in tensors.items() if name.startswith(PART)}
    if dropout:
        model.train()
    try:  # no encoder ties weights, and a search for ties takes a millisecond
        with OurDropout() if dropout and draws(backbone, learner) else nullcontext():
            output = torch.func.functional_call(model, own, args=(), kwargs=dict(batch), tie_weights=False)
    finally:
        if dropout:
            model.eval()
    return output.last_hidden_state, getattr(output, "pooler_output", None)


def draws(backbone: Backbone, learner: Learner) -> bool:
    """Whether there is any dropout in training: of the encoder, or in the settings of the method."""
    a = backbone.architecture
    return max(a.hidden_dropout, a.attention_dropout, a.embedding_dropout) > 0 or "dropout" in learner.peft


class OurDropout(TorchFunctionMode):
    """Within a `with` block, modules drop by `learners.forms.dropout`, whose draws take a fifth of the time."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        return (_dropout if func is F.dropout else func)(*args, **(kwargs or {}))


def _dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    return dropped(input, p) if training else input
