"""Small runs for the fault trials: a tiny encoder with random weights, simulated tasks, a few learners."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from faults.sameness import changed, fitted_twice
from learners.backbones.locate import EMBEDDED
from stream import InputError, verify

# A run of about two seconds: isolated and sequential learners, single texts and pairs.
LARGER = {"suite": "cola,rte,sms_spam", "learners": "adapter:8,layernorm,adapterbias:sequential", "epochs": 2}
# A run of half a second, for faults at each of its write points.
SMALLER = {"suite": "cola,rte", "learners": "head,layernorm:sequential", "epochs": 1}
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def save_tiny_backbone(folder: Path) -> Path:
    """Save a BERT with random weights, d = 32, L = 2, and the tokenizer of the embedded backbone."""
    import torch
    from transformers import BertConfig, BertModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(EMBEDDED / name, folder / name)
    words = json.loads((EMBEDDED / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertModel(BertConfig(vocab_size=words, max_position_embeddings=64, **SIZES)).save_pretrained(folder)
    return folder


def settings_of(base: Path, out: Path, size: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Settings of a run; in one process unless `more` has `workers`."""
    caps = {"train_examples": 32, "test_examples": 16, "batch_size": 16, "max_length": 32, "learning_rate": 1e-3}
    return (
        {"source": "simulated", "backbone": str(base / "backbone"), "workers": 1, "out": str(out), **caps} | size | more
    )


def wrong(folder: Path, reference: Path) -> str | None:
    """What is wrong with a run that ended after faults; None if nothing.

    Args:
        reference: Folder of an uninterrupted run.
    """
    try:
        difference = changed(folder, reference)
        if difference is not None:
            return difference
        if twice := fitted_twice(folder):
            return f"fitted twice: {', '.join(twice)}"
        verdict = verify(folder)
    except (OSError, ValueError, InputError) as error:
        return f"{type(error).__name__}: {error}"
    return None if verdict.passed else f"verify: {verdict.findings[0]}"
