"""The pretrained encoder: loaded once, frozen, never changed, known by the hash of all it consists of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from learners.architecture import Architecture, architecture_from_config
from learners.checkpoint import find_checkpoint
from learners.delta import tensor_digest
from learners.interrupts import interrupt_later
from tasks.content import canonical, content_id
from tasks.errors import InputError

Pooling = Literal["cls", "mean"]
Dtype = Literal["float32", "bfloat16"]

# Keys of a config that say how a file was written or run, not what the model computes.
VOLATILE = frozenset({"_name_or_path", "transformers_version", "dtype", "torch_dtype", "architectures", "use_cache"})


@dataclass(frozen=True, eq=False)
class Backbone:
    """A frozen encoder and its tokenizer.

    Attributes:
        name: As the user wrote it.
        id: Content id over parameters and buffers (float32, as loaded), config, tokenizer and pooling.
        pooling: `cls`, the pooler's output where the model has one, else the first token; or `mean` over tokens.
        model: The Hugging Face base model in `dtype`, evaluation mode, without gradients.
        weights: Its parameters in float32, where a learner's tuned weights start.
        digests: Digest of every tensor in memory, to name the one that changed.
    """

    name: str
    id: str
    architecture: Architecture
    pooling: Pooling
    model: nn.Module
    weights: Mapping[str, Tensor]
    tokenizer: Any
    tokenizer_id: str
    dtype: torch.dtype
    digests: Mapping[str, str]

    @property
    def pad_id(self) -> int:
        return self.architecture.pad_id

    @property
    def parameters(self) -> int:
        """Number of parameters, without the pooler where pooling does not use one."""
        return sum(tensor.numel() for tensor in self.weights.values())


def load_backbone(name: str, dtype: Dtype = "float32") -> Backbone:
    """Load a backbone from a folder, the Hugging Face hub, or an installed package.

    Args:
        name: A folder with config.json, safetensors weights and a tokenizer; a hub id; or "minilm" (extra `minilm`).
        dtype: In which the forward pass runs. The id does not depend on it.

    Raises:
        InputError: Nothing found under that name, an architecture without known sites, weights that are missing,
            pickled or do not fit the config, or a tokenizer that does not fit the embeddings.
    """
    checkpoint = find_checkpoint(name)
    model, tokenizer = _load_model(checkpoint.folder, checkpoint.pooling), _load_tokenizer(checkpoint.folder)
    settings: dict[str, Any] = model.config.to_dict()
    has_pooler = getattr(model, "pooler", None) is not None
    written = json.loads((checkpoint.folder / "config.json").read_text(encoding="utf-8"))
    config = {k: v for k, v in written.items() if k not in VOLATILE}  # as written: defaults of a library may change
    architecture = architecture_from_config(settings, pooler=has_pooler, where=str(checkpoint.folder))
    if len(tokenizer) > architecture.vocabulary:
        raise InputError(
            "the tokenizer does not belong to these weights",
            where=str(checkpoint.folder),
            expected=f"at most {architecture.vocabulary} tokens, the rows of the embedding matrix",
            found=f"{len(tokenizer)}",
        )
    digests = resident_digests(model)
    tokenizer_id = _tokenizer_id(tokenizer)
    identity = content_id(
        "backbone",
        canonical(digests),
        canonical(config),
        tokenizer_id,
        checkpoint.pooling,
    )
    weights = {key: tensor.detach() for key, tensor in model.named_parameters()}
    if dtype == "bfloat16":  # float32 weights stay at hand: tuned weights must not start from rounded ones
        weights = {key: tensor.clone() for key, tensor in weights.items()}
        model = model.to(torch.bfloat16)
    model.requires_grad_(False).eval()
    digests = resident_digests(model, weights)
    return Backbone(
        name=name,
        id=identity,
        architecture=architecture,
        pooling=checkpoint.pooling,
        model=model,
        weights=weights,
        tokenizer=tokenizer,
        tokenizer_id=tokenizer_id,
        dtype=getattr(torch, dtype),
        digests=digests,
    )


def resident_digests(model: nn.Module, weights: Mapping[str, Tensor] | None = None) -> dict[str, str]:
    """Digest of every parameter and buffer as it lies in memory, by name; of `weights` where they lie elsewhere."""
    tensors: dict[str, Tensor] = dict(model.named_parameters()) | dict(model.named_buffers())
    for name, weight in (weights or {}).items():
        if name not in tensors or weight.data_ptr() != tensors[name].data_ptr():
            tensors[f"{name} (float32)"] = weight
    return {name: tensor_digest(name, tensor) for name, tensor in sorted(tensors.items())}


def changed_tensor(backbone: Backbone) -> str | None:
    """Name of the first tensor that is not what it was when the backbone was loaded, or None."""
    now = resident_digests(backbone.model, backbone.weights)
    names = sorted(set(now) | set(backbone.digests))
    return next((name for name in names if now.get(name) != backbone.digests.get(name)), None)


def _load_model(folder: Path, pooling: Pooling) -> Any:
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    level = logging.get_verbosity()
    logging.set_verbosity_error()  # its report of a language-model head left unused; what matters is checked below
    try:
        with interrupt_later():
            model, info = AutoModel.from_pretrained(
                folder,
                dtype=torch.float32,
                attn_implementation="eager",  # sdpa is slower backwards on CPUs for rows this short
                use_safetensors=True,
                local_files_only=True,
                ignore_mismatched_sizes=True,  # reported, and refused below in our own words
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError("cannot load these weights", where=str(folder), found=first) from None
    finally:
        logging.set_verbosity(level)
    missing = [key for key in info["missing_keys"] if not key.startswith("pooler.")]
    if missing or info.get("mismatched_keys"):
        wrong = missing or [str(key) for key in info["mismatched_keys"]]
        raise InputError(
            "the weights do not fit the config",
            where=str(folder),
            expected="every tensor of the encoder, in the shape the config gives",
            found=f"{len(wrong)} missing or of another shape, such as {sorted(wrong)[0]}",
        )
    if pooling == "mean" or info["missing_keys"]:
        model.pooler = None  # unused, or never pretrained: random weights must not stand in front of a head
    return model.float()


def _load_tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    expected = "tokenizer.json or vocab.txt"
    # Without any of these files transformers makes a tokenizer of special tokens alone, to which all words are unknown.
    if not any(any(folder.glob(pattern)) for pattern in ("tokenizer.json", "vocab.*", "*.model")):
        raise InputError("no tokenizer", where=str(folder), expected=expected, found="no such file in it")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = str(error).strip().splitlines()[0]
        raise InputError("cannot load a tokenizer", where=str(folder), expected=expected, found=found) from None
    if not getattr(tokenizer, "is_fast", False):
        raise InputError("the tokenizer has no tokenizer.json form", where=str(folder), expected="a fast tokenizer")
    return tokenizer


def _tokenizer_id(tokenizer: Any) -> str:
    """Content id of vocabulary, normaliser, pre-tokeniser and special tokens, not of padding or truncation settings."""
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    return content_id("tokenizer", canonical({k: v for k, v in state.items() if k not in ("padding", "truncation")}))
