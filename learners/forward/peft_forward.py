"""The forward pass of a backbone with a method of the peft library.

peft changes modules of transformers, so this pass goes through them. All other learners have a forward pass of plain
functions.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.delta.peft_modules import PART, injected_model
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
        output = torch.func.functional_call(model, own, args=(), kwargs=dict(batch), tie_weights=False)
    finally:
        if dropout:
            model.eval()
    return output.last_hidden_state, getattr(output, "pooler_output", None)
