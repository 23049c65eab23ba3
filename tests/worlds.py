"""Small inputs for tests, on disk: random two-layer encoders of each architecture, and tasks of few words."""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

TREES = ["ash", "birch", "cedar", "elm", "fir", "oak", "pine", "rowan", "yew"]
QUALITIES = ["red", "blue", "green", "gold", "dim", "loud", "calm", "keen", "slow", "swift", "old"]
WORDS = TREES + QUALITIES
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *(f"##{c}" for c in "abc"), ".", "?"]
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
ARCHITECTURES = ("bert", "roberta", "distilbert", "electra")
NEW_ARCHITECTURES = ("deberta-v2", "modernbert")
# Learner families that an architecture does not support.
REFUSED = {
    "deberta-v2": ("prefix", "mam", "mhpa"),
    "modernbert": ("prefix", "mam", "mhpa", "bitfit", "pfeiffer"),
}
# More settings of a config. DeBERTa: attention as in DeBERTa-v3. ModernBERT: windows shorter than the rows, and no
# special tokens outside the vocabulary.
SETTINGS = {
    "deberta-v2": {
        "relative_attention": True,
        "position_biased_input": False,
        "position_buckets": 8,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": "p2c|c2p",
    },
    "modernbert": {
        "local_attention": 4,
        "global_attn_every_n_layers": 2,
        **dict.fromkeys(("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id")),
    },
}


def applies(specification: str, model_type: str) -> bool:
    """Whether a learner works on an architecture. Besides `REFUSED`, a peft configuration may name modules it lacks."""
    names = {part.split(":")[0] for part in re.split(r"\+(?=[a-z])", specification)}
    unlike_bert = model_type in NEW_ARCHITECTURES and "target_modules=[query,value,q_lin,v_lin]" in specification
    ones = model_type == "modernbert" and "vector=ones" in specification
    return not (names & set(REFUSED.get(model_type, ())) or unlike_bert or ones)


def save_backbone(folder: Path, model_type: str = "bert", seed: int = 0, pooling: str = "cls") -> Path:
    """Save a random encoder of `model_type`, d = 16, L = 2, d_ff = 32, and a WordPiece tokenizer, as on the hub.

    Args:
        pooling: `mean` adds a sentence-transformers config; otherwise the folder has none.

    Returns:
        `folder`.
    """
    import torch
    from transformers import AutoConfig, AutoModel, BertTokenizer

    sizes = dict(SIZES)
    if model_type == "distilbert":
        sizes = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32}
    if model_type == "electra":
        sizes["embedding_size"] = 8
    settings = {**sizes, **SETTINGS.get(model_type, {})}
    config = AutoConfig.for_model(
        model_type, vocab_size=len(VOCABULARY), max_position_embeddings=48, pad_token_id=0, **settings
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModel.from_config(config)
        for name, tensor in model.named_parameters():  # not 0 and 1, so that a missing norm changes the output
            if "norm" in name.lower() or name.endswith("bias"):
                tensor.data += 0.1 * torch.randn(tensor.shape)
    model.save_pretrained(folder)
    BertTokenizer(vocab={word: index for index, word in enumerate(VOCABULARY)}).save_pretrained(folder)
    if pooling == "mean":
        (folder / "1_Pooling").mkdir(exist_ok=True)
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    return folder


def save_task(folder: Path, name: str, classes: int = 2, rows: int = 60, kind: str = "single", seed: int = 0) -> Path:
    """Save a learnable task as FOLDER/NAME/data.csv. A word of `QUALITIES` in the text determines the class.

    Args:
        kind: `single`, `pair` or `regression`. A regression has pairs and also a score: the class's index plus noise.

    Returns:
        `folder`.
    """
    draw = random.Random(f"{name}:{seed}")
    labels = [f"label{i}" for i in range(classes)]
    header = ["text", *(["text_b"] if kind != "single" else []), "label", *(["score"] if kind == "regression" else [])]
    lines: list[Sequence[object]] = []
    for index in range(rows):
        label = index % classes
        words = [draw.choice(TREES) for _ in range(draw.randint(2, 9))]
        words.insert(draw.randrange(len(words) + 1), QUALITIES[label % len(QUALITIES)])
        line: list[object] = [" ".join(words) + f" {'old ' * (index // 30)}"]
        if kind != "single":
            line.append(" ".join(draw.choice(WORDS) for _ in range(4)))
        line.append(labels[label])
        if kind == "regression":
            line.append(label + draw.random())
        lines.append(line)
    path = folder / name / "data.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return folder
