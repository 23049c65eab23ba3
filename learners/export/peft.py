"""Export of a Delta as an adapter of the peft library: adapter_config.json and adapter_model.safetensors."""

from __future__ import annotations

import re
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from learners.backbones.architecture import Architecture, layer_module
from learners.backbones.backbone import Backbone
from learners.backbones.library import library_model
from learners.backbones.sites import FED_BY, hook_point
from learners.backbones.weights import POOLER
from learners.delta.delta import Delta
from learners.delta.layout import PROMPT
from learners.delta.peft_modules import ADAPTER, PART, peft_seed
from learners.export.peft_base import (
    base_reference,
    carries_head,
    classifier_base,
    encoder_base,
    loading,
    write_base,
)
from learners.export.snippet import HEAD, Loading
from learners.export.transformers import head_of, write_tensors, write_tokenizer
from learners.forms import LowRank, Rescale
from learners.specification.learner import Learner
from learners.specification.modification import Modification
from learners.specification.notation import read_object
from learners.specification.tuned import Tuned
from tasks.errors import InputError
from tasks.task import Task

WEIGHTS = "adapter_model.safetensors"


def peft_settings(learner: Learner, architecture: Architecture) -> dict[str, Any]:
    """The configuration of peft that describes a learner, as plain JSON values.

    Raises:
        InputError: peft cannot describe this learner. The message gives the reason of `unsayable`.
    """
    if reason := unsayable(learner, architecture):
        raise InputError("peft has no format for this", where=f"learner {learner.name}", found=reason)
    if learner.peft:
        return read_object(learner.peft)
    if learner.prompt:
        width = {"token_dim": architecture.embedding, "num_layers": architecture.layers}
        shape = {"num_virtual_tokens": learner.prompt, "num_attention_heads": architecture.heads}
        return {"peft_type": "PROMPT_TUNING", "num_transformer_submodules": 1, **shape, **width}
    modules = {m.name: _module(architecture, m, 0) for m in learner.modifications}
    form = learner.modifications[0].form
    if isinstance(form, LowRank):
        alpha = learner.modifications[0].scale * form.rank
        named = _pattern(architecture, list(modules.values()))
        return {"peft_type": "LORA", "r": form.rank, "lora_alpha": alpha, "target_modules": named}
    inner = [_module(architecture, m, 0) for m in learner.modifications if m.site == "ffn.intermediate"]
    settings: dict[str, Any] = {"peft_type": "IA3", "target_modules": _pattern(architecture, list(modules.values()))}
    return settings | {"feedforward_modules": _pattern(architecture, inner) if inner else []}


def unsayable(learner: Learner, architecture: Architecture) -> str:
    """Why peft cannot describe a learner, in one sentence; "" if it can."""
    if learner.no_encoder or learner.difference or learner.layers_read > 1 or learner.tuned != Tuned():
        return "it does not only add modules to a frozen encoder"
    if learner.peft or (learner.prompt and not learner.modifications):
        return ""
    kinds = {(type(m.form), m.scale, getattr(m.form, "rank", 0)) for m in learner.modifications}
    if learner.prompt or len(kinds) != 1 or next(iter(kinds))[0] not in (LowRank, Rescale):
        return "only LoRA with one rank and scale, IA3 and prompts can be exported for peft"
    if any(hook_point(architecture, m.site, 0).columns for m in learner.modifications):
        return f"in a {architecture.model_type} model, one matrix computes query, key and value"
    return ""


def peft_tensors(learner: Learner, delta: Delta, architecture: Architecture) -> dict[str, Tensor]:
    """Tensors of the adapter, by peft's names in the encoder. A prompt is not among them."""
    if learner.peft:
        return {name[len(PART) :]: tensor for name, tensor in delta.tensors.items() if name.startswith(PART)}
    tensors: dict[str, Tensor] = {}
    for layer in range(architecture.layers):
        for m in learner.modifications:
            module = _module(architecture, m, layer)
            own = {name: delta.tensors[m.key(layer, name)] for name in m.shapes(architecture)}
            if isinstance(m.form, LowRank):
                tensors |= {f"{module}.lora_{name}.{ADAPTER}.weight": tensor for name, tensor in own.items()}
            else:  # peft stores a factor on the input of W₂ as a row, a factor on an output as a column
                factor = 1 + m.scale * (own["factor"] - 1)
                tensors[f"{module}.ia3_l.{ADAPTER}"] = factor[None] if m.site == "ffn.intermediate" else factor[:, None]
    return tensors


def write_adapter(
    folder: Path, backbone: Backbone, learner: Learner, task: Task, max_length: int, delta: Delta
) -> Loading:
    """Write adapter and tokenizer into an empty folder, and the base model if it is not on the hub.

    Args:
        max_length: Maximum number of tokens of a row in training.

    Returns:
        How a program loads these files.

    Raises:
        InputError: peft is not installed, or cannot describe the learner.
    """
    settings = peft_settings(learner, backbone.architecture)
    if find_spec("peft") is None:
        raise InputError("peft is not installed", where="--format peft", fix="pip install 'taskstream[peft]'")
    from peft import get_peft_config, get_peft_model, get_peft_model_state_dict

    tensors, head = peft_tensors(learner, delta, backbone.architecture), head_of(delta)
    classifies = not learner.prompt and carries_head(backbone, task, any(name.startswith(POOLER) for name in tensors))
    base = classifier_base(backbone, task, head) if classifies else encoder_base(backbone)
    kind: dict[str, Any] = {"task_type": "FEATURE_EXTRACTION"}
    if classifies:
        kind = {"task_type": "SEQ_CLS", "modules_to_save": list(base.head)}
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(peft_seed(learner.peft))  # frozen tensors must be the same as in training
        config = get_peft_config({**settings, **_default_modules(settings, backbone), **kind})
        model = get_peft_model(base.model, config)
        parameters = dict(model.named_parameters())
        with torch.no_grad():
            for name, tensor in tensors.items():
                parameters[f"base_model.model.{base.prefix}{name}"].copy_(tensor)
            if learner.prompt:
                parameters[f"prompt_encoder.{ADAPTER}.embedding.weight"].copy_(delta.tensors[PROMPT])
        config.base_model_name_or_path, config.revision = base_reference(backbone), backbone.commit
        config.inference_mode = True
        config.save_pretrained(folder)
        write_tensors(folder / WEIGHTS, get_peft_model_state_dict(model, save_embedding_layers=False))
    write_tokenizer(folder, backbone, max_length)
    if backbone.commit is None:
        write_base(folder, backbone, task if classifies else None, max_length)
    if not classifies:
        write_tensors(folder / HEAD, head)
    return loading(backbone, task, base, learner.prompt)


def _default_modules(settings: dict[str, Any], backbone: Backbone) -> dict[str, Any]:
    """The modules that peft chooses for this encoder, if the settings name none. It would not know our own class."""
    if "target_modules" in settings or "num_virtual_tokens" in settings:
        return {}
    from peft import get_peft_config, get_peft_model

    config = get_peft_config(settings)
    get_peft_model(library_model(backbone), config)
    chosen = {name: getattr(config, name, None) for name in ("target_modules", "feedforward_modules")}
    return {name: sorted(modules) for name, modules in chosen.items() if isinstance(modules, set | list)}


def _module(architecture: Architecture, modification: Modification, layer: int) -> str:
    """Name of the matrix that a modification changes: the one that computes or reads its site."""
    site = modification.site if modification.site in FED_BY else "ffn.w2"
    return hook_point(architecture, site, layer).module


def _pattern(architecture: Architecture, modules: list[str]) -> str:
    """A regular expression that matches these modules of layer 0, and the same modules in all layers.

    With plain names, peft would also match other modules whose names end in the same way.
    """
    first = f"{layer_module(architecture, 0)}."
    layer = re.escape(architecture.anatomy.layer).replace(re.escape("{}"), r"\d+")
    return rf"(.*\.)?{layer}\.({'|'.join(re.escape(module.removeprefix(first)) for module in modules)})"
