"""The pretrained encoder: loaded once, frozen, never changed, and identified by a hash of its content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from learners.backbones.architecture import Architecture, architecture_from_config
from learners.backbones.architectures import ANATOMIES
from learners.backbones.fingerprint import tensor_digest
from learners.backbones.locate import find_checkpoint
from learners.backbones.tokenizer import check_tokenizer, load_tokenizer, tokenizer_digest
from tasks.content import canonical, content_id
from tasks.documents import read_object
from tasks.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Pooling = Literal["cls", "mean"]
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
        model: The Hugging Face base model in `dtype`, in evaluation mode, without gradients.
        weights: Name -> parameter in float32: initial values of the weights that a learner tunes.
        tokenizer: Fast tokenizer of transformers.
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
    model: nn.Module
    weights: Mapping[str, Tensor]
    tokenizer: Any
    tokenizer_id: str
    dtype: torch.dtype
    digests: Mapping[str, str]
    notes: tuple[str, ...] = ()
    commit: str | None = None

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

    from learners.backbones.weights import POOLER, read_weights

    checkpoint = find_checkpoint(name)
    folder = checkpoint.folder
    written, architecture = _read_config(folder / "config.json", checkpoint.pooling)
    read, notes = read_weights(folder, architecture)
    architecture = replace(architecture, pooler=architecture.pooler and any(key.startswith(POOLER) for key in read))
    where = str(folder / "config.json")
    library_config = _library_config(architecture, written, where)
    tokenizer = load_tokenizer(folder, library_config)
    check_tokenizer(tokenizer, architecture, folder)
    model = _make_model(library_config, architecture, read, where)
    config = {k: v for k, v in written.items() if k not in VOLATILE}  # only what is written: defaults may change
    digests = resident_digests(model)
    tokenizer_id = tokenizer_digest(tokenizer)
    identity = content_id(
        "backbone",
        canonical(digests),
        canonical(config),
        tokenizer_id,
        checkpoint.pooling,
    )
    weights = {key: tensor.detach() for key, tensor in model.named_parameters()}
    if dtype == "bfloat16":  # keep float32 copies: tuned weights must not start from rounded values
        weights = {key: tensor.clone() for key, tensor in weights.items()}
        model = model.to(torch.bfloat16)
    model.requires_grad_(False).eval()
    digests = resident_digests(model, weights)
    return Backbone(
        name=name,
        folder=folder,
        id=identity,
        architecture=architecture,
        pooling=checkpoint.pooling,
        model=model,
        weights=weights,
        tokenizer=tokenizer,
        tokenizer_id=tokenizer_id,
        dtype=getattr(torch, dtype),
        digests=digests,
        notes=notes,
        commit=checkpoint.commit,
    )


def load_tokenizer_of(name: str) -> Any:
    """Loads only the tokenizer of a backbone. Takes a third of the time of `load_backbone`.

    Raises:
        InputError: As for `load_backbone`, except for errors in the weights.
    """
    checkpoint = find_checkpoint(name)
    config = checkpoint.folder / "config.json"
    written, architecture = _read_config(config, checkpoint.pooling)
    tokenizer = load_tokenizer(checkpoint.folder, _library_config(architecture, written, str(config)))
    check_tokenizer(tokenizer, architecture, checkpoint.folder)
    return tokenizer


def resident_digests(model: nn.Module, weights: Mapping[str, Tensor] | None = None) -> dict[str, str]:
    """Returns name -> digest of every parameter and buffer in memory.

    Args:
        model: The base model.
        weights: Weights in float32. If one is not the same memory as in the model, it is added as NAME + `COPY`.
    """
    tensors: dict[str, Tensor] = dict(model.named_parameters()) | dict(model.named_buffers())
    for name, weight in (weights or {}).items():
        if name not in tensors or weight.data_ptr() != tensors[name].data_ptr():
            tensors[f"{name}{COPY}"] = weight
    return {name: tensor_digest(name, tensor) for name, tensor in sorted(tensors.items())}


def changed_tensor(backbone: Backbone, copies: bool = True) -> str | None:
    """Returns the name of the first tensor that has changed since the backbone was loaded, or None.

    Args:
        backbone: The backbone to check.
        copies: Whether to check the float32 copies of the weights too, if the model has another dtype.
    """
    now = resident_digests(backbone.model, backbone.weights if copies else None)
    names = sorted(set(now) | {name for name in backbone.digests if copies or not name.endswith(COPY)})
    return next((name for name in names if now.get(name) != backbone.digests.get(name)), None)


def _read_config(file: Path, pooling: Pooling) -> tuple[dict[str, Any], Architecture]:
    """Returns the config as written, and its architecture. Missing keys take the defaults of transformers."""
    from transformers import AutoConfig

    written = read_object(file, what="damaged config")
    model_type = str(written.get("model_type"))
    if (anatomy := ANATOMIES.get(model_type)) is None:
        return written, architecture_from_config(written, where=str(file))
    # Defaults of these keys may not fit the sizes of this model.
    defaults = {k: v for k, v in AutoConfig.for_model(model_type).to_dict().items() if k not in anatomy.passed}
    pooler = pooling == "cls" and anatomy.pooler
    return written, architecture_from_config({**defaults, **written}, pooler=pooler, where=str(file))


def _library_config(architecture: Architecture, written: Mapping[str, Any], where: str) -> Any:
    """Returns the config object of transformers. It contains only the keys that the architecture checks, because other
    keys may name files, code or sizes that are not checked."""
    from transformers import AutoConfig

    named = {key: value for key, value in written.items() if key == "tokenizer_class" and isinstance(value, str)}
    settings = {key: value for key, value in written.items() if key in architecture.anatomy.keys}
    try:
        with _silent():  # it warns about default tokens that a small vocabulary does not have
            return AutoConfig.for_model(architecture.model_type, **settings, **named)
    except (ValueError, TypeError, KeyError) as error:
        raise _cannot_build(where, error) from None


def _make_model(config: Any, architecture: Architecture, weights: dict[str, Tensor], where: str) -> Any:
    """Returns the base model with these weights, in float32.

    Raises:
        InputError: transformers cannot build a model from this config.
    """
    import torch
    from transformers import MODEL_MAPPING
    from transformers.utils import logging

    from learners.backbones.attention import attention_of

    logging.disable_progress_bar()
    try:
        kind = MODEL_MAPPING[type(config)]
        with _silent():  # it reports a missing pooler; all other missing keys are checked below
            model, info = kind.from_pretrained(
                None,
                config=config,
                state_dict=weights,
                dtype=torch.float32,
                attn_implementation=attention_of(kind),
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
