"""Export of the model of one task as a checkpoint of transformers, for programs that do not know Deltas.

If the classifier of transformers computes the same as ours, the files are for `AutoModelForSequenceClassification`.
Otherwise they are for the encoder, `AutoModel`, and the head is a separate file.
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

# Names of pooler and head in the classifiers of transformers, if they are outside the encoder's prefix. In RoBERTa's
# classifier, the first layer after the encoder is a pooler with another name: tanh of a matrix times the first token.
_BERT = {"head": "classifier"}
_ROBERTA = {"pooler.dense": "classifier.dense", "head": "classifier.out_proj"}


def has_classifier(architecture: Architecture) -> bool:
    """Whether the classifier of transformers computes the same as ours: head(tanh(pooler(first token)))."""
    return architecture.pooler


def classifier_state(architecture: Architecture, state: State, head: State) -> dict[str, Tensor]:
    """The weights of the classifier, by its names in transformers.

    Args:
        state: Weights of the encoder, by their names in the encoder.
        head: `weight` [C, d] and `bias` [C].
    """
    places = _BERT if architecture.model_type == "bert" else _ROBERTA
    renamed = {}
    for name, tensor in {**state, **{f"head.{name}": tensor for name, tensor in head.items()}}.items():
        module, _, kind = name.rpartition(".")
        renamed[f"{places[module]}.{kind}" if module in places else architecture.anatomy.prefix + name] = tensor
    return renamed


def head_of(delta: Delta) -> dict[str, Tensor]:
    """The head of a Delta: `weight` [C, d] and `bias` [C]."""
    return {name: delta.tensors[f"head.{name}"] for name in ("weight", "bias")}


def task_config(backbone: Backbone, task: Task, classifier: bool) -> Any:
    """The config of the encoder for transformers, with the labels of the task."""
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
        max_length: Maximum number of tokens of a row in training. The tokenizer cuts longer rows.
        state: Weights of the whole encoder, by their names in the encoder.
        head: `weight` [C, d] and `bias` [C].

    Returns:
        How a program loads these files.
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
    """Write the head as its own file. For mean pooling, also write the pooling config of sentence-transformers."""
    write_tensors(folder / HEAD, head)
    if backbone.pooling == "mean":
        pooling = {"word_embedding_dimension": backbone.architecture.hidden, "pooling_mode_mean_tokens": True}
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling, indent=2) + "\n", encoding="utf-8")


def write_tensors(path: Path, tensors: State) -> None:
    """Write tensors as a safetensors file that transformers accepts."""
    path.write_bytes(save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata={"format": "pt"}))


def write_tokenizer(folder: Path, backbone: Backbone, max_length: int) -> None:
    """Write the backbone's tokenizer. It gives only the inputs that the encoder takes, cut to `max_length` tokens."""
    tokenizer = copy.deepcopy(backbone.tokenizer)
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.model_max_length = max_length
    types = ["token_type_ids"] if backbone.architecture.types > 1 else []
    tokenizer.init_kwargs["model_input_names"] = ["input_ids", *types, "attention_mask"]
    for of_loading in ("is_local", "local_files_only", "trust_remote_code"):
        tokenizer.init_kwargs.pop(of_loading, None)
    tokenizer.save_pretrained(folder)
