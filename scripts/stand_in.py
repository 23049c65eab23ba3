"""A small stand-in world for the demo: 26 keyword tasks named as the real ones, and a random two-layer encoder.

    python scripts/stand_in.py FOLDER        writes FOLDER/tasks/<name>/data.csv and FOLDER/backbone/

It exercises every part of a run in a minute, on any machine, offline. It is no data set: a label is told by a few
words drawn for its class, so scores here say nothing of the real tasks. For those, see the README.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from pathlib import Path

from tasks import TASKS
from tasks.task import Task

SYLLABLES = [consonant + vowel for consonant in "bdklmrs" for vowel in "aeiou"]
WORDS = [first + second for first in SYLLABLES for second in SYLLABLES]
CLASSES = 12  # at most: more would leave a class of a small task without examples
ROWS = 240


def save_task(folder: Path, task: Task) -> None:
    """Write one task of the right kind, with the table's number of classes up to `CLASSES`."""
    draw = random.Random(f"stand-in {task.name}")
    outputs = 6 if task.kind == "regression" else min(CLASSES, task.outputs)
    hints = [draw.sample(WORDS, 3) for _ in range(outputs)]
    header = ["text"] if task.kind == "single" else ["text", "text_b"]
    header += ["label", "score"] if task.kind == "regression" else ["label"]
    lines: list[list[object]] = [header]
    for row in range(ROWS):
        label = row % outputs
        said = label if draw.random() < 0.95 else draw.randrange(outputs)  # label noise: no task is solved for sure
        words = [draw.choice(WORDS) for _ in range(draw.randint(3, 8))]
        words.insert(draw.randrange(len(words) + 1), draw.choice(hints[said]))
        texts = [" ".join(words)]
        if task.kind != "single":
            texts.append(" ".join([*draw.sample(words, 2), draw.choice(hints[said])]))
        lines.append([*texts, label, *([label + draw.random() / 2] if task.kind == "regression" else [])])
    path = folder / task.name / "data.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)


def save_backbone(folder: Path) -> None:
    """Write a random BERT (d = 128, L = 2) with a vocabulary of the stand-in's words, pooled by the mean."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=256,
        max_position_embeddings=64,
        initializer_range=0.2,  # ten times BERT's: untrained layers must at least tell words apart
    )
    torch.manual_seed(0)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    BertTokenizer(vocab={word: index for index, word in enumerate(vocabulary)}).save_pretrained(folder)
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    world = Path(sys.argv[1])
    if not (world / "backbone" / "model.safetensors").exists():
        for task in TASKS.values():
            save_task(world / "tasks", task)
        save_backbone(world / "backbone")
