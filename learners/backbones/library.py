"""The modules of transformers for a backbone. Only methods of peft and exports need them; our forward pass does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from learners.backbones.architecture import Architecture
from tasks.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from learners.backbones.backbone import Backbone


def library_model(backbone: Backbone) -> Any:
    """Builds the base model of transformers (`AutoModel`), with the backbone's weights in its dtype.

    It is in evaluation mode, without gradients. It shares no memory with the backbone, and can be trained even if it is
    built in inference mode. PyTorch's global generator does not change.

    Its attention is `eager`, which every architecture has. With `sdpa`, a forward and backward pass of LoRA on the
    embedded encoder in float32 (AVX2, one thread, 16 rows) took 44 ms instead of 40 at 17 tokens and 132 instead of 136
    at 64; on MiniLM 293 instead of 289, and 1664 instead of 1666. In bfloat16 the backward pass of `sdpa` took ten times
    as long for short rows where the processor has bfloat16.

    Raises:
        InputError: transformers cannot build a model from this config.
    """
    import torch

    # transformers draws the weights of a pooler that the backbone does not have
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
        weights = {name: tensor.clone() for name, tensor in backbone.weights.items()}
        model = _make_model(config_of(backbone), backbone.architecture, weights, _where(backbone))
        return model.to(backbone.dtype).requires_grad_(False).eval()


def config_of(backbone: Backbone) -> Any:
    """Returns `library_config` of a backbone.

    Raises:
        InputError: transformers does not accept this config.
    """
    return library_config(backbone.architecture, backbone.config, _where(backbone))


def _where(backbone: Backbone) -> str:
    return str(backbone.folder / "config.json")


def library_config(architecture: Architecture, written: Mapping[str, Any], where: str) -> Any:
    """Returns the config object of transformers. It contains only the keys that the architecture checks, because other
    keys may name files, code or sizes that are not checked."""
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    named = {key: value for key, value in written.items() if key == "tokenizer_class" and isinstance(value, str)}
    settings = {key: value for key, value in written.items() if key in architecture.anatomy.keys}
    try:
        with _silent():  # it warns about default tokens that a small vocabulary does not have
            return AutoConfig.for_model(architecture.model_type, **settings, **named)
    except (ValueError, TypeError, KeyError, StrictDataclassError) as error:
        raise _cannot_build(where, error) from None


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
        with _silent():  # it reports a missing pooler; all other missing keys are checked below
            model, info = kind.from_pretrained(
                None,
                config=config,
                state_dict=weights,
                dtype=torch.float32,
                attn_implementation="eager",
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise _cannot_build(where, error) from None
    wrong = [*info["unexpected_keys"], *(key for key in info["missing_keys"] if not key.startswith("pooler."))]
    if wrong or info["mismatched_keys"]:  # read_weights has checked the same, so our architecture table is wrong
        raise AssertionError(f"{where}: transformers did not load these weights: {wrong}, {info['mismatched_keys']}")
    if not architecture.pooler:
        model.pooler = None  # it is unused, or its weights are random and must not feed a head
    return model.float()


@contextmanager
def _silent() -> Iterator[None]:
    """Silences the warnings of transformers inside a `with` block."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _cannot_build(where: str, error: Exception) -> InputError:
    return InputError("cannot build a model from this config", where=where, found=" ".join(str(error).split())[:160])
