"""Export of a Delta as an adapter of the peft library: adapter_config.json and adapter_model.safetensors."""

from __future__ import annotations

import copy
import re
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from learners.backbones.architecture import Architecture, layer_module
from learners.backbones.backbone import Backbone
from learners.backbones.sites import FED_BY, hook_point
from learners.backbones.weights import POOLER
from learners.delta.delta import Delta
from learners.delta.peft_modules import ADAPTER, PART, peft_seed
from learners.export.snippet import Loading
from learners.export.transformers import (
    classifier_state,
    has_classifier,
    head_of,
    task_config,
    write_head,
    write_tensors,
    write_tokenizer,
)
from learners.forms import LowRank, Rescale
from learners.forward.forward import PROMPT
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
    if not learner.trains or learner.difference or learner.layers_read > 1 or learner.tuned != Tuned():
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
    """Write adapter and tokenizer into an empty folder. Also write the head, if peft's files cannot hold it.

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

    head, architecture, tensors = (
        head_of(delta),
        backbone.architecture,
        peft_tensors(learner, delta, backbone.architecture),
    )
    # We export an encoder and a separate head in two cases: a classifier of peft would pool the first position of a
    # prompt, and the classifier of RoBERTa has its pooler under the name of the head.
    pooler_in_head = architecture.model_type != "bert" and any(name.startswith(POOLER) for name in tensors)
    classifies = has_classifier(architecture) and not learner.prompt and not pooler_in_head
    base = _classifier(backbone, task, head) if classifies else copy.deepcopy(backbone.model).float()
    kind = {"task_type": "SEQ_CLS" if classifies else "FEATURE_EXTRACTION"}
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(peft_seed(learner.peft))  # frozen tensors must be the same as in training
        config = get_peft_config({**settings, **kind})
        model = get_peft_model(base, config)
        parameters, prefix = dict(model.named_parameters()), architecture.anatomy.prefix if classifies else ""
        with torch.no_grad():
            for name, tensor in tensors.items():
                parameters[f"base_model.model.{prefix}{name}"].copy_(tensor)
            if learner.prompt:
                parameters[f"prompt_encoder.{ADAPTER}.embedding.weight"].copy_(delta.tensors[PROMPT])
        config.base_model_name_or_path, config.revision = reference(backbone), backbone.commit
        config.inference_mode = True
        config.save_pretrained(folder)
        write_tensors(folder / WEIGHTS, get_peft_model_state_dict(model, save_embedding_layers=False))
    write_tokenizer(folder, backbone, max_length)
    if classifies:
        automatic, options = "AutoModelForSequenceClassification", f", num_labels={task.outputs}"
    else:
        write_head(folder, backbone, head)
        bare = architecture.anatomy.pooler and not architecture.pooler
        automatic, options = "AutoModel", ", add_pooling_layer=False" if bare else ""
    if backbone.commit is not None:
        options += f", revision={backbone.commit!r}"
    lines = (
        f"encoder = {automatic}.from_pretrained(backbone{options})",
        "model = PeftModel.from_pretrained(encoder, folder)",
    )
    return Loading(lines, automatic, classifies, adapter=True, prompt=learner.prompt, backbone=reference(backbone))


def reference(backbone: Backbone) -> str:
    """The name of the backbone in exported files: its hub id or, for a folder, the last part of its path.

    The rest of the path has no meaning on another machine.
    """
    return backbone.folder.resolve().name if Path(backbone.name).expanduser().is_dir() else backbone.name.split("@")[0]


def _classifier(backbone: Backbone, task: Task, head: dict[str, Tensor]) -> Any:
    from transformers import AutoModelForSequenceClassification

    with torch.random.fork_rng(devices=[]):
        model = AutoModelForSequenceClassification.from_config(task_config(backbone, task, classifier=True))
    model.load_state_dict(classifier_state(backbone.architecture, backbone.weights, head))
    return model


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
