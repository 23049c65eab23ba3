"""Export of the model of one task as a checkpoint for `AutoModelForSequenceClassification`.

If a class of transformers computes the model exactly, the checkpoint is of that class. Otherwise it is of our own
class, and the files of `modeling/` that define it are written beside it. Its `model_type` is ours: without
`trust_remote_code=True` transformers refuses it, and cannot put a random head on it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from learners.backbones.backbone import VOLATILE, Backbone
from learners.backbones.library import config_of
from learners.backbones.weights import POOLER, WEIGHTS
from learners.delta.delta import Delta
from learners.export.classifier import State, classifier_state, has_classifier
from learners.export.modules import Modules
from learners.export.snippet import Loading
from tasks.task import Task

AUTOMATIC = "AutoModelForSequenceClassification"
MODELING = Path(__file__).with_name("modeling")
# Whether there are modules -> files of the class, the last of which defines it; and its name.
OWN = {
    False: (("modeling_taskstream.py",), "TaskstreamForSequenceClassification"),
    True: (("modeling_taskstream.py", "modeling_taskstream_delta.py"), "TaskstreamDeltaForSequenceClassification"),
}
BACKBONE = "backbone."  # prefix of the encoder's tensors in our class

PLAIN = "These files are a checkpoint of transformers, 5.0 or newer. They need no other library."
NEGATED = (
    " The classifier class has a layer with an activation function before its last layer. Here these two layers "
    "together compute the head that was trained: the first has its rows and their negatives, the second subtracts them."
)
OWN_CLASS = (
    "These files are a checkpoint of transformers, 5.0 or newer. No class of transformers computes this model, so the "
    "folder has its own class, in {files}: read it, then load it with `trust_remote_code=True`. It needs torch and "
    "transformers only. "
    "Without `trust_remote_code=True` transformers refuses the files. `model.backbone` is the encoder."
)


def head_of(delta: Delta) -> dict[str, Tensor]:
    """The head of a Delta: `weight` [C, d] and `bias` [C]."""
    return {name: delta.tensors[f"head.{name}"] for name in ("weight", "bias")}


def write_checkpoint(
    folder: Path,
    backbone: Backbone,
    task: Task,
    max_length: int,
    state: State,
    head: State,
    modules: Modules | None = None,
) -> Loading:
    """Write config, weights and tokenizer into an empty folder, and the files of our class if they need it.

    Args:
        max_length: Maximum number of tokens of a row in training. The tokenizer cuts longer rows.
        state: Weights of the whole encoder, by their names in the encoder.
        head: `weight` [C, width] and `bias` [C].
        modules: What the Delta adds to the encoder. Default: None, nothing.

    Returns:
        How a program loads these files.
    """
    write_tokenizer(folder, backbone, max_length)
    if modules is None and has_classifier(backbone, task.outputs):
        task_config(backbone, task).save_pretrained(folder)
        write_tensors(folder / WEIGHTS, classifier_state(backbone.architecture, state, head))
        about = PLAIN + ("" if backbone.architecture.pooler else NEGATED)
        return Loading((), (AUTOMATIC,), (f"model = {AUTOMATIC}.from_pretrained(folder)",), True, about, "model=folder")
    files, _ = OWN[modules is not None]
    for file in files:
        (folder / file).write_bytes((MODELING / file).read_bytes())
    config = own_config(backbone, task, modules)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    write_tensors(folder / WEIGHTS, own_state(config, state, head, modules))
    return Loading(
        (),
        (AUTOMATIC,),
        (f"model = {AUTOMATIC}.from_pretrained(folder, trust_remote_code=True)",),
        True,
        OWN_CLASS.format(files=" and ".join(f"`{file}`" for file in files)),
        "model=folder, trust_remote_code=True",
        remote_code=True,
    )


def task_config(backbone: Backbone, task: Task) -> Any:
    """The config of the classifier class of transformers, with the labels of the task."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as NAMES

    config = config_of(backbone)
    config.architectures = [NAMES[backbone.architecture.model_type]]
    for key, value in _labels(task).items():
        setattr(config, key, value)
    config.dtype = "float32"
    return config


def own_config(backbone: Backbone, task: Task, modules: Modules | None = None) -> dict[str, Any]:
    """The config of our class, as the content of config.json."""
    from transformers import __version__

    files, name = OWN[modules is not None]
    written = json.loads(config_of(backbone).to_json_string())
    encoder = {key: value for key, value in written.items() if key not in VOLATILE}
    for key, value in encoder.items():  # special tokens by default, which a small vocabulary does not have
        if key.endswith("_token_id") and isinstance(value, int) and value >= backbone.architecture.vocabulary:
            encoder[key] = None
    several = modules is not None and modules.settings["layers_read"] > 1  # then the first token itself is read
    return {
        "architectures": [name],
        "auto_map": {
            "AutoConfig": "modeling_taskstream.TaskstreamConfig",
            AUTOMATIC: f"{files[-1].removesuffix('.py')}.{name}",
        },
        "dtype": "float32",
        "encoder": encoder,
        "model_type": "taskstream",
        "pad_token_id": backbone.pad_id,
        "pooling": "pooler" if backbone.architecture.pooler and not several else backbone.pooling,
        "transformers_version": __version__,
        **_labels(task),
        **({} if modules is None else modules.settings),
    }


def own_state(
    config: Mapping[str, Any], state: State, head: State, modules: Modules | None = None
) -> dict[str, Tensor]:
    """The weights of our class, by their names in it."""
    pooled = config["pooling"] == "pooler"
    encoder = {f"{BACKBONE}{name}": t for name, t in state.items() if pooled or not name.startswith(POOLER)}
    added = {} if modules is None else modules.tensors
    return {**encoder, **added, **{f"classifier.{name}": tensor for name, tensor in head.items()}}


def write_tensors(path: Path, tensors: State) -> None:
    """Write tensors as a safetensors file that transformers accepts."""
    path.write_bytes(save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata={"format": "pt"}))


def write_tokenizer(folder: Path, backbone: Backbone, max_length: int) -> None:
    """Write the backbone's tokenizer. It gives only the inputs that the encoder takes, cut to `max_length` tokens.

    It is written for the class of transformers that takes tokenizer.json as it is, whatever class it was read for.
    """
    tokenizer = backbone.tokenizer
    copied = copy.deepcopy(tokenizer.backend)
    copied.no_padding()
    copied.no_truncation()
    copied.save(str(folder / "tokenizer.json"))
    types = ["token_type_ids"] if backbone.architecture.types > 1 and tokenizer.typed else []
    settings = {
        **tokenizer.tokens,
        "model_input_names": ["input_ids", *types, "attention_mask"],
        "model_max_length": max_length,
        "tokenizer_class": "TokenizersBackend",
        **({"truncation_side": "left"} if tokenizer.side == "left" else {}),
    }
    text = json.dumps(settings, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / "tokenizer_config.json").write_text(text + "\n", encoding="utf-8")


def _labels(task: Task) -> dict[str, Any]:
    labels = dict(enumerate(task.labels or ("score",)))
    kind = "regression" if task.kind == "regression" else "single_label_classification"
    return {"id2label": labels, "label2id": {label: index for index, label in labels.items()}, "problem_type": kind}
