"""The base model of an adapter of peft: by its id on the hub, or as a checkpoint beside the adapter.

An adapter of a classifier holds the head. This needs a base that is a classifier and computes what our model computes:
a class of transformers, or our own class, which only a checkpoint beside the adapter can have.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from learners.backbones.backbone import Backbone
from learners.backbones.library import config_of, library_model
from learners.backbones.weights import WEIGHTS
from learners.export.classifier import State, classifier_state, has_classifier, saved_modules
from learners.export.snippet import HEAD, Loading
from learners.export.transformers import (
    BACKBONE,
    own_config,
    own_state,
    task_config,
    write_checkpoint,
    write_tensors,
    write_tokenizer,
)
from tasks.task import Task

BASE = "base"  # folder of the base, beside the adapter
NEEDS = "They need peft, 0.18 or newer, and transformers, 5.0 or newer."
ABOUT_HUB = f"These files are an adapter of peft. {NEEDS} The base, {{base}}, is loaded from the Hugging Face hub."
ABOUT_BASE = (
    f"These files are an adapter of peft, and its base in the folder `{BASE}`. {NEEDS} The adapter names the base by a "
    "path relative to this folder. So load it from within this folder, as below; you can move the folder."
)
HEAD_INSIDE = (
    " The adapter holds the head. transformers says that a head is newly initialised: this is the base's, and the "
    "adapter replaces it."
)
ZEROS = f" The head of `{BASE}` is zero; the adapter holds the trained one."
OWN_CLASS = " The base has its own class, in `modeling_taskstream.py`: no class of transformers computes it."
HEAD_OUTSIDE = (
    f" The adapter changes the encoder only. The head is in `{HEAD}`, because the classifier of peft would pool "
    "differently."
)


@dataclass(frozen=True)
class Base:
    """A base model in memory.

    Attributes:
        model: The model, with the head of the task if it is a classifier.
        prefix: Prefix of the encoder's names in it.
        head: Names of the modules that hold the head; empty for an encoder.
        remote_code: Whether it is of our own class.
    """

    model: Any
    prefix: str = ""
    head: tuple[str, ...] = ()
    remote_code: bool = False


def reference(backbone: Backbone) -> str:
    """The name of the backbone in exported files: its hub id or, for a folder, the last part of its path.

    The rest of the path has no meaning on another machine.
    """
    return backbone.folder.resolve().name if Path(backbone.name).expanduser().is_dir() else backbone.name.split("@")[0]


def base_reference(backbone: Backbone) -> str:
    """The name of the base in adapter_config.json. `./` cannot be confused with a hub id."""
    return f"./{BASE}" if backbone.commit is None else reference(backbone)


def carries_head(backbone: Backbone, task: Task, at_pooler: bool) -> bool:
    """Whether the base can be a classifier.

    Args:
        at_pooler: Whether the adapter changes the pooler. RoBERTa's classifier has the pooler among the head's modules.
    """
    plain = has_classifier(backbone, task.outputs)
    return not (at_pooler and backbone.architecture.model_type != "bert") and (plain or backbone.commit is None)


def encoder_base(backbone: Backbone) -> Base:
    """The encoder."""
    return Base(library_model(backbone).float())


def classifier_base(backbone: Backbone, task: Task, head: State) -> Base:
    """A classifier with the backbone's weights and a head."""
    architecture = backbone.architecture
    with torch.random.fork_rng(devices=[]):
        if has_classifier(backbone, task.outputs):
            from transformers import AutoModelForSequenceClassification

            model: Any = AutoModelForSequenceClassification.from_config(task_config(backbone, task))
            model.load_state_dict(classifier_state(architecture, backbone.weights, head))
            return Base(model, architecture.anatomy.prefix, tuple(saved_modules(architecture)))
        from learners.export.modeling.modeling_taskstream import TaskstreamConfig, TaskstreamForSequenceClassification

        config = own_config(backbone, task)
        model = TaskstreamForSequenceClassification(TaskstreamConfig(**config))
        model.load_state_dict(own_state(config, backbone.weights, head))
        return Base(model, BACKBONE, ("classifier",), remote_code=True)


def write_base(folder: Path, backbone: Backbone, task: Task | None, max_length: int) -> None:
    """Write the base beside the adapter: a classifier whose head is zero, or the encoder if there is no task.

    A classifier with a zero head finds all classes equally probable, so nobody takes it for the trained model.
    """
    (folder / BASE).mkdir()
    if task is not None:
        width = backbone.architecture.hidden
        head = {"weight": torch.zeros(task.outputs, width), "bias": torch.zeros(task.outputs)}
        write_checkpoint(folder / BASE, backbone, task, max_length, backbone.weights, head)
        return
    from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

    config = config_of(backbone)
    config.architectures, config.dtype = [MODEL_MAPPING_NAMES[backbone.architecture.model_type]], "float32"
    config.save_pretrained(folder / BASE)
    write_tensors(folder / BASE / WEIGHTS, backbone.weights)
    write_tokenizer(folder / BASE, backbone, max_length)


def loading(backbone: Backbone, task: Task, base: Base, prompt: int) -> Loading:
    """How a program loads the adapter with its base."""
    kind = "AutoPeftModelForSequenceClassification" if base.head else "AutoPeftModelForFeatureExtraction"
    bare = not base.head and backbone.architecture.anatomy.pooler and not backbone.architecture.pooler
    options = ["add_pooling_layer=False"] if bare else []
    options += ["trust_remote_code=True"] if base.remote_code else []
    if backbone.commit is None:
        about = ABOUT_BASE + (ZEROS if base.head else "") + (OWN_CLASS if base.remote_code else "")
        given = ", ".join(['"."', *options])
        lines = ["with contextlib.chdir(folder):", f"    model = {kind}.from_pretrained({given})"]
    else:
        about = ABOUT_HUB.format(base=reference(backbone)) + (HEAD_INSIDE if base.head else "")
        options += ["dtype=torch.float32"]
        if base.head:
            labels = dict(enumerate(task.labels or ("score",)))
            regression = ['problem_type="regression"'] if task.kind == "regression" else []
            options += [f"num_labels={task.outputs}", "id2label=labels", "label2id=indices", *regression]
            lines = [f"labels = {labels!r}", "indices = {label: index for index, label in labels.items()}"]
            lines += [f"model = {kind}.from_pretrained(folder, {', '.join(options)})"]
        else:
            lines = [f"model = {kind}.from_pretrained(folder, {', '.join(options)})"]
    if not base.head:
        about, lines = about + HEAD_OUTSIDE, [*lines, "encoder = model.get_base_model()"]
    imports = [*(["import contextlib"] if backbone.commit is None else []), f"from peft import {kind}"]
    return Loading(
        tuple(imports),
        (),
        tuple(lines),
        bool(base.head),
        about,
        "model=model, tokenizer=tokenizer" if base.head else "",
        prompt,
        base.remote_code,
    )
