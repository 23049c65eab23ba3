"""The pretrained encoder: loaded once, frozen, never changed, known by the hash of all it consists of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from learners.backbones.architecture import Architecture, architecture_from_config
from learners.backbones.architectures import ANATOMIES
from learners.backbones.attention import attention_of
from learners.backbones.fingerprint import tensor_digest
from learners.backbones.locate import find_checkpoint
from learners.backbones.tokenizer import check_tokenizer, load_tokenizer, tokenizer_digest
from learners.backbones.weights import POOLER, read_weights
from tasks.content import canonical, content_id
from tasks.documents import read_object
from tasks.errors import InputError

Pooling = Literal["cls", "mean"]
Dtype = Literal["float32", "bfloat16"]
COPY = " (float32)"  # in the name of a digest: of a weight that lies beside the model

# Keys of a config that say how a file was written or run, not what the model computes.
VOLATILE = frozenset({"_name_or_path", "transformers_version", "dtype", "torch_dtype", "architectures", "use_cache"})


@dataclass(frozen=True, eq=False)
class Backbone:
    """A frozen encoder and its tokenizer.

    Attributes:
        name: As the user wrote it.
        folder: Where its files lie.
        commit: Of its repository on the hub, where it is from there.
        id: Content id over parameters and buffers (float32, as loaded), config, tokenizer and pooling.
        pooling: `cls`, the pooler's output where the model has one, else the first token; or `mean` over tokens.
        model: The Hugging Face base model in `dtype`, evaluation mode, without gradients.
        weights: Its parameters in float32, where a learner's tuned weights start.
        digests: Digest of every tensor in memory, to name the one that changed.
        notes: What its files hold of the encoder and the config does not, in plain sentences.
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
        """Number of parameters, without the pooler where pooling does not use one."""
        return sum(tensor.numel() for tensor in self.weights.values())


def load_backbone(name: str, dtype: Dtype = "float32") -> Backbone:
    """Load a backbone from a folder, the Hugging Face hub, or an installed package.

    Args:
        name: A folder with config.json, safetensors weights and a tokenizer; a hub id, or one with a branch, tag or
            commit, ID@REVISION; or "minilm" (extra `minilm`).
        dtype: In which the forward pass runs. The id does not depend on it.

    Raises:
        InputError: Nothing found under that name, an architecture without known sites, weights that are missing,
            pickled, damaged or do not fit the config, or a tokenizer that does not fit the embeddings.
    """
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
    config = {k: v for k, v in written.items() if k not in VOLATILE}  # as written: defaults of a library may change
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
    if dtype == "bfloat16":  # float32 weights stay at hand: tuned weights must not start from rounded ones
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


def resident_digests(model: nn.Module, weights: Mapping[str, Tensor] | None = None) -> dict[str, str]:
    """Digest of every parameter and buffer as it lies in memory, by name; of `weights` where they lie elsewhere."""
    tensors: dict[str, Tensor] = dict(model.named_parameters()) | dict(model.named_buffers())
    for name, weight in (weights or {}).items():
        if name not in tensors or weight.data_ptr() != tensors[name].data_ptr():
            tensors[f"{name}{COPY}"] = weight
    return {name: tensor_digest(name, tensor) for name, tensor in sorted(tensors.items())}


def changed_tensor(backbone: Backbone, copies: bool = True) -> str | None:
    """Name of the first tensor that is not what it was when the backbone was loaded, or None.

    Args:
        copies: Whether to look at the float32 weights too that lie beside a model in another dtype.
    """
    now = resident_digests(backbone.model, backbone.weights if copies else None)
    names = sorted(set(now) | {name for name in backbone.digests if copies or not name.endswith(COPY)})
    return next((name for name in names if now.get(name) != backbone.digests.get(name)), None)


def _read_config(file: Path, pooling: Pooling) -> tuple[dict[str, Any], Architecture]:
    """The config as written, and the architecture that it describes, gaps filled as transformers fills them."""
    from transformers import AutoConfig

    written = read_object(file, what="damaged config")
    model_type = str(written.get("model_type"))
    if (anatomy := ANATOMIES.get(model_type)) is None:
        return written, architecture_from_config(written, where=str(file))
    # What is passed on need not fit the sizes of a default model.
    defaults = {k: v for k, v in AutoConfig.for_model(model_type).to_dict().items() if k not in anatomy.passed}
    pooler = pooling == "cls" and anatomy.pooler
    return written, architecture_from_config({**defaults, **written}, pooler=pooler, where=str(file))


def _library_config(architecture: Architecture, written: Mapping[str, Any], where: str) -> Any:
    """The config as transformers wants it, of what the architecture knows alone: other keys may name files, code and
    sizes that nobody has checked."""
    from transformers import AutoConfig

    named = {key: value for key, value in written.items() if key == "tokenizer_class" and isinstance(value, str)}
    settings = {key: value for key, value in written.items() if key in architecture.anatomy.keys}
    try:
        with _silent():  # of default tokens that a small vocabulary does not have
            return AutoConfig.for_model(architecture.model_type, **settings, **named)
    except (ValueError, TypeError, KeyError) as error:
        raise _impossible(where, error) from None


def _make_model(config: Any, architecture: Architecture, weights: dict[str, Tensor], where: str) -> Any:
    """The base model with these weights."""
    from transformers import MODEL_MAPPING
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        kind = MODEL_MAPPING[type(config)]
        with _silent():  # its report of a pooler left out; what matters is checked below
            model, info = kind.from_pretrained(
                None,
                config=config,
                state_dict=weights,
                dtype=torch.float32,
                attn_implementation=attention_of(kind),
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise _impossible(where, error) from None
    wrong = [*info["unexpected_keys"], *(key for key in info["missing_keys"] if not key.startswith("pooler."))]
    if wrong or info["mismatched_keys"]:  # read_weights has seen to it, by our own account of the architecture
        raise AssertionError(f"{where}: weights that transformers did not take: {wrong}, {info['mismatched_keys']}")
    if not architecture.pooler:
        model.pooler = None  # unused, or never pretrained: random weights must not stand in front of a head
    return model.float()


@contextmanager
def _silent() -> Iterator[None]:
    """transformers without its notices for a `with` block."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _impossible(where: str, error: Exception) -> InputError:
    return InputError("cannot make a model of this config", where=where, found=" ".join(str(error).split())[:160])
