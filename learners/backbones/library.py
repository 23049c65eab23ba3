"""The modules of transformers for a backbone. Only methods of peft and exports need them; our forward pass does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from learners.backbones.architecture import Architecture
from learners.backbones.library_config import cannot_build, library_config, silent

if TYPE_CHECKING:
    from torch import Tensor

    from learners.backbones.backbone import Backbone


def library_model(backbone: Backbone) -> Any:
    """Builds the base model of transformers (`AutoModel`), with the backbone's weights in its dtype.

    It is in evaluation mode, without gradients. It shares no memory with the backbone, and can be trained even if it is
    built in inference mode. PyTorch's global generator does not change.

    Its attention is `eager`, which every architecture has, as `sdpa` is no faster in training. A forward and a backward
    pass of LoRA (float32, AVX2, one thread, 16 rows) took 40 ms with `eager` and 44 with `sdpa` on the embedded encoder
    at 17 tokens, 136 and 132 at 64; on MiniLM 289 and 293 at 17, 1666 and 1664 at 64. Where the processor has bfloat16,
    the backward pass of `sdpa` took ten times as long for short rows.

    Raises:
        InputError: transformers cannot build a model from this config.
    """
    import torch

    # transformers draws the weights of a pooler that the backbone does not have
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
        weights = {name: tensor.to("cpu", copy=True) for name, tensor in backbone.weights.items()}
        model = _make_model(config_of(backbone), backbone.architecture, weights, _where(backbone))
        return model.to(backbone.device, backbone.dtype).requires_grad_(False).eval()


def config_of(backbone: Backbone) -> Any:
    """Returns `library_config` of a backbone.

    Raises:
        InputError: transformers does not accept this config.
    """
    return library_config(backbone.architecture, backbone.config, _where(backbone))


def _where(backbone: Backbone) -> str:
    return str(backbone.folder / "config.json")


def _make_model(config: Any, architecture: Architecture, weights: dict[str, Tensor], where: str) -> Any:
    """Returns the base model with these weights, in float32.

    Raises:
        InputError: transformers cannot build a model from this config.
    """
    import torch
    from transformers import MODEL_MAPPING
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        kind = MODEL_MAPPING[type(config)]
        with silent():  # it reports a missing pooler; all other missing keys are checked below
            model, info = kind.from_pretrained(
                None,
                config=config,
                state_dict=weights,
                dtype=torch.float32,
                attn_implementation="eager",
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise cannot_build(where, error) from None
    wrong = [*info["unexpected_keys"], *(key for key in info["missing_keys"] if not key.startswith("pooler."))]
    if wrong or info["mismatched_keys"]:  # read_weights has checked the same, so our architecture table is wrong
        raise AssertionError(f"{where}: transformers did not load these weights: {wrong}, {info['mismatched_keys']}")
    if not architecture.pooler:
        model.pooler = None  # it is unused, or its weights are random and must not feed a head
    return model.float()
