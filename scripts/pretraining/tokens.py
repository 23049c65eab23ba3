"""The WordPiece tokenizer of the simulated language."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pretraining.settings import Settings
from tasks.files import write_atomic

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, CLS, SEP, MASK = 0, 2, 3, 4


def train_tokenizer(lines: Iterator[str], settings: Settings) -> Any:
    """Train a lower-case WordPiece tokenizer. Every printable ASCII character has a token, so no ASCII is [UNK]."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    alphabet = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    trainer = trainers.WordPieceTrainer(
        vocab_size=settings.vocabulary, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
    )
    return tokenizer


def open_tokenizer(file: Path) -> Any:
    """Load a tokenizer; None if the file does not exist."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(file)) if file.exists() else None


def save_tokenizer(folder: Path, tokenizer: Any) -> None:
    """Save tokenizer.json and tokenizer_config.json."""
    tokenizer.save(str(folder / "tokenizer.json"))
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    settings: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 256}
    settings |= dict(zip(names, SPECIAL, strict=True))
    settings["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
    write_atomic(folder / "tokenizer_config.json", json.dumps(settings, indent=1).encode())
