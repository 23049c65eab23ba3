"""Encoders with random weights: the architecture of a backbone, or another shape of it, with its tokenizer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from learners.backbones.locate import find_checkpoint

WEIGHTS = (".safetensors", ".bin", ".pt", ".h5", ".msgpack", ".onnx")


def save_random(backbone: str, folder: Path, seed: int, **config: int) -> Path:
    """Save a model folder with the architecture, tokenizer and pooling of a backbone, and random weights.

    Args:
        config: Values of the configuration that differ from the backbone's, such as num_hidden_layers=12.
    """
    if (folder / "model.safetensors").exists():
        return folder
    import torch
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    found = find_checkpoint(backbone).folder
    folder.mkdir(parents=True, exist_ok=True)
    for file in (*found.glob("*.json"), *found.glob("*.txt"), *found.glob("*.model"), *found.glob("*/config.json")):
        copy = folder / file.relative_to(found)
        copy.parent.mkdir(exist_ok=True)
        if not file.name.endswith((*WEIGHTS, ".index.json")):
            shutil.copyfile(file, copy)
    settings = AutoConfig.from_pretrained(found, local_files_only=True, **config)
    pooling = folder / "1_Pooling" / "config.json"
    if pooling.exists() and "hidden_size" in config:
        values = json.loads(pooling.read_text(encoding="utf-8"))
        pooling.write_text(json.dumps({**values, "word_embedding_dimension": config["hidden_size"]}), encoding="utf-8")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModel.from_config(settings)
    model.float().save_pretrained(folder)
    return folder
