"""The pretrained encoder: loaded once, frozen, never changed, and identified by a hash of its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from learners.backbones.architecture import Architecture, architecture_from_config, parameter_shapes
from learners.backbones.architectures import ANATOMIES
from learners.backbones.fingerprint import tensor_digest
from learners.backbones.locate import Pooling, find_checkpoint
from learners.backbones.tokenizer import check_tokenizer, load_tokenizer, tokenizer_digest
from tasks.content import canonical, content_id
from tasks.documents import read_object
from tasks.tokenizer import Tokenizer

if TYPE_CHECKING:
    import torch
    from torch import Tensor


Dtype = Literal["float32", "bfloat16"]
COPY = " (float32)"  # suffix of a digest's name: a float32 copy of a weight, stored beside the model

# Config keys that do not change what the model computes: they tell how a file was written or run.
VOLATILE = frozenset({"_name_or_path", "transformers_version", "dtype", "torch_dtype", "architectures", "use_cache"})


@dataclass(frozen=True, eq=False)
class Backbone:
    """A frozen encoder and its tokenizer.

    Attributes:
        name: Name as the user wrote it.
        folder: Folder of its files.
        id: Content id of parameters and buffers (float32, as loaded), config, tokenizer and pooling.
        architecture: Sizes and settings, from its config.
        pooling: `cls`: the output of the pooler if the model has one, else the first token. `mean`: mean over tokens.
        config: `config.json` as written.
        weights: Name -> parameter in float32: initial values of the weights that a learner tunes.
        computed: Name -> parameter in `dtype`, which the forward pass reads. In float32 these are `weights`.
        fused: Name -> several of these as one tensor, in the same memory (`learners.backbones.fused`).
        tokenizer: Its tokenizer: the backend of the library `tokenizers`, and which inputs it gives.
        tokenizer_id: Content id of the tokenizer.
        dtype: Type of the forward pass.
        digests: Name -> digest of every tensor in memory, to find a tensor that has changed.
        notes: Sentences about tensors of the encoder that are in the files but not in the config.
        commit: Commit of its repository on the hub; None if it is not from the hub.
    """

    name: str
    folder: Path
    id: str
    architecture: Architecture
    pooling: Pooling
    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    computed: Mapping[str, Tensor]
    fused: Mapping[str, Tensor]
    tokenizer: Tokenizer
    tokenizer_id: str
    dtype: torch.dtype
    digests: Mapping[str, str]
    notes: tuple[str, ...] = ()
    commit: str | None = None

    @cached_property
    def encoder(self) -> Mapping[str, Tensor]:
        """Name -> tensor that the forward pass reads: `computed` and `fused`."""
        return {**self.computed, **self.fused}

    @property
    def device(self) -> torch.device:
        """Where its weights are, and so all tensors of a forward pass."""
        return next(iter(self.computed.values())).device

    @property
    def pad_id(self) -> int:
        return self.architecture.pad_id

    @property
    def parameters(self) -> int:
        """Number of parameters. The pooler counts only if pooling uses it."""
        return sum(tensor.numel() for tensor in self.weights.values())


def load_backbone(name: str, dtype: Dtype = "float32") -> Backbone:
    """Loads a backbone from this package, a folder, the Hugging Face hub, or an installed package.

    Args:
        name: "embedded"; "minilm" (needs the extra `minilm`); a folder with config.json, safetensors weights and a
            tokenizer; or a hub id, with a branch, tag or commit as ID@REVISION.
        dtype: Type of the forward pass. The id does not depend on it.

    Raises:
        InputError: Nothing has this name; the architecture is not supported; the weights are missing, pickled,
            damaged or do not fit the config; or the tokenizer does not fit the embeddings.
    """
    import torch

    from learners.backbones.fused import fused
    from learners.backbones.weights import POOLER, read_weights

    checkpoint = find_checkpoint(name)
    folder = checkpoint.folder
    written, architecture = _read_config(folder / "config.json", checkpoint.pooling)
    read, notes = read_weights(folder, architecture)
    architecture = replace(architecture, pooler=architecture.pooler and any(key.startswith(POOLER) for key in read))
    tokenizer = load_tokenizer(folder, architecture, written)
    check_tokenizer(tokenizer, architecture, folder)
    parameters = {key: read[key] for key in parameter_shapes(architecture)}
    digests = digests_of(parameters)
    config = {k: v for k, v in written.items() if k not in VOLATILE}  # only what is written: defaults may change
    tokenizer_id = tokenizer_digest(tokenizer, architecture)
    identity = content_id(
        "backbone",
        canonical({**digests, **digests_of(architecture.anatomy.buffers(architecture))}),
        canonical(config),
        tokenizer_id,
        checkpoint.pooling,
    )
    # With another dtype, float32 copies stay: tuned weights must not start from rounded values.
    computed, whole = fused(architecture, {key: tensor.to(getattr(torch, dtype)) for key, tensor in parameters.items()})
    if dtype == "float32":
        parameters = computed
    else:
        digests = resident_digests(computed, parameters)
    return Backbone(
        name=name,
        folder=folder,
        id=identity,
        architecture=architecture,
        pooling=checkpoint.pooling,
        config=written,
        weights=parameters,
        computed=computed,
        fused=whole,
        tokenizer=tokenizer,
        tokenizer_id=tokenizer_id,
        dtype=getattr(torch, dtype),
        digests=digests,
        notes=notes,
        commit=checkpoint.commit,
    )


def placed(backbone: Backbone, device: str) -> Backbone:
    """Returns the backbone with its weights on a device, in the same layout; as it is if they are there.

    Args:
        device: Full name of the device (`learners.device.device_named`).
    """
    from learners.backbones.fused import fused

    if device == str(backbone.device):
        return backbone
    computed, whole = fused(backbone.architecture, {key: each.to(device) for key, each in backbone.computed.items()})
    own = backbone.weights is not backbone.computed
    weights = {key: each.to(device) for key, each in backbone.weights.items()} if own else computed
    return replace(backbone, weights=weights, computed=computed, fused=whole)


def load_tokenizer_of(name: str) -> Tokenizer:
    """Loads only the tokenizer of a backbone, without PyTorch.

    Raises:
        InputError: As for `load_backbone`, except for errors in the weights.
    """
    checkpoint = find_checkpoint(name)
    written, architecture = _read_config(checkpoint.folder / "config.json", checkpoint.pooling)
    tokenizer = load_tokenizer(checkpoint.folder, architecture, written)
    check_tokenizer(tokenizer, architecture, checkpoint.folder)
    return tokenizer


def digests_of(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Returns name -> digest of each tensor, sorted by name."""
    return {name: tensor_digest(name, tensor) for name, tensor in sorted(tensors.items())}


def resident_digests(computed: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> dict[str, str]:
    """Returns name -> digest of every tensor of a backbone in memory.

    Args:
        computed: The tensors that the forward pass reads.
        weights: The same in float32. One that is not the same memory is added as NAME + `COPY`.
    """
    copies = {f"{name}{COPY}": tensor for name, tensor in weights.items() if tensor is not computed[name]}
    return digests_of({**computed, **copies})


def changed_tensor(backbone: Backbone, copies: bool = True) -> str | None:
    """Returns the name of the first tensor that has changed since the backbone was loaded, or None.

    Args:
        backbone: The backbone to check.
        copies: Whether to check the float32 copies of the weights too, if the model has another dtype.
    """
    now = resident_digests(backbone.computed, backbone.weights if copies else backbone.computed)
    names = sorted(set(now) | {name for name in backbone.digests if copies or not name.endswith(COPY)})
    return next((name for name in names if now.get(name) != backbone.digests.get(name)), None)


def _read_config(file: Path, pooling: Pooling) -> tuple[dict[str, Any], Architecture]:
    """Returns the config as written, and its architecture. Missing keys take the defaults of transformers."""
    written = read_object(file, what="damaged config")
    model_type = str(written.get("model_type"))
    if (anatomy := ANATOMIES.get(model_type)) is None:
        return written, architecture_from_config(written, where=str(file))
    pooler = pooling == "cls" and anatomy.pooler
    return written, architecture_from_config({**anatomy.usual, **written}, pooler=pooler, where=str(file))
