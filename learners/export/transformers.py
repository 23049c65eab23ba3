"""A task's model in the files of transformers, for programs that know nothing of Deltas.

Where transformers' own classifier of an architecture is a linear head on what is pooled here, they are those of
`AutoModelForSequenceClassification`; elsewhere those of the encoder, `AutoModel`, and the head lies beside them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from learners.backbones.architecture import Architecture
from learners.backbones.backbone import Backbone
from learners.backbones.weights import WEIGHTS
from learners.delta.delta import Delta
from learners.export.snippet import HEAD, Loading
from tasks.task import Task

State = Mapping[str, Tensor]

# Where pooler and head lie in transformers' classifiers, if not under the encoder's prefix. RoBERTa's first layer after
# the encoder is a pooler by another name: tanh of a matrix times the first token.
_BERT = {"head": "classifier"}
_ROBERTA = {"pooler.dense": "classifier.dense", "head": "classifier.out_proj"}


def has_classifier(architecture: Architecture) -> bool:
    """Whether transformers' classifier computes what is computed here: head(tanh(pooler(first token)))."""
    return architecture.pooler


def classifier_state(architecture: Architecture, state: State, head: State) -> dict[str, Tensor]:
    """The state of transformers' classifier.

    Args:
        state: Of the encoder, by its own names.
        head: `weight` and `bias`.
    """
    places = _BERT if architecture.model_type == "bert" else _ROBERTA
    renamed = {}
    for name, tensor in {**state, **{f"head.{name}": tensor for name, tensor in head.items()}}.items():
        module, _, kind = name.rpartition(".")
        renamed[f"{places[module]}.{kind}" if module in places else architecture.anatomy.prefix + name] = tensor
    return renamed


def head_of(delta: Delta) -> dict[str, Tensor]:
    return {name: delta.tensors[f"head.{name}"] for name in ("weight", "bias")}


def task_config(backbone: Backbone, task: Task, classifier: bool) -> Any:
    """The encoder's config with the task's labels, as transformers has it."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
        MODEL_MAPPING_NAMES,
    )

    config: Any = copy.deepcopy(backbone.model.config)
    names = MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES if classifier else MODEL_MAPPING_NAMES
    labels = dict(enumerate(task.labels or ("score",)))
    config.architectures = [names[backbone.architecture.model_type]]
    config.id2label, config.label2id = labels, {label: index for index, label in labels.items()}
    config.problem_type = "regression" if task.kind == "regression" else "single_label_classification"
    config.dtype = "float32"
    return config


def write_checkpoint(
    folder: Path, backbone: Backbone, task: Task, max_length: int, state: State, head: State
) -> Loading:
    """Write config, weights and tokenizer into an empty folder.

    Args:
        max_length: Tokens of the longest row in training, which the tokenizer is told.
        state: Of the whole encoder, by its own names.
    """
    architecture = backbone.architecture
    classifies = has_classifier(architecture)
    task_config(backbone, task, classifies).save_pretrained(folder)
    write_tokenizer(folder, backbone, max_length)
    write_tensors(folder / WEIGHTS, classifier_state(architecture, state, head) if classifies else state)
    if classifies:
        kind = "AutoModelForSequenceClassification"
        return Loading((f"model = {kind}.from_pretrained(folder)",), kind, classifies)
    write_head(folder, backbone, head)
    bare = ", add_pooling_layer=False" if architecture.anatomy.pooler else ""
    return Loading((f"encoder = AutoModel.from_pretrained(folder{bare})",), "AutoModel", classifies)


def write_head(folder: Path, backbone: Backbone, head: State) -> None:
    """Write the head, and that the mean over tokens is its input where it is, as sentence encoders say it."""
    write_tensors(folder / HEAD, head)
    if backbone.pooling == "mean":
        pooling = {"word_embedding_dimension": backbone.architecture.hidden, "pooling_mode_mean_tokens": True}
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling, indent=2) + "\n", encoding="utf-8")


def write_tensors(path: Path, tensors: State) -> None:
    path.write_bytes(save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata={"format": "pt"}))


def write_tokenizer(folder: Path, backbone: Backbone, max_length: int) -> None:
    """The backbone's tokenizer, which then gives just what the encoder takes, in rows no longer than in training."""
    tokenizer = copy.deepcopy(backbone.tokenizer)
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.model_max_length = max_length
    types = ["token_type_ids"] if backbone.architecture.types > 1 else []
    tokenizer.init_kwargs["model_input_names"] = ["input_ids", *types, "attention_mask"]
    for of_loading in ("is_local", "local_files_only", "trust_remote_code"):
        tokenizer.init_kwargs.pop(of_loading, None)
    tokenizer.save_pretrained(folder)
