"""The tokenizer that belongs to a backbone: loaded without code of others, and refused where it does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from learners.backbones.architecture import Architecture
from tasks.content import canonical, content_id
from tasks.documents import read_object
from tasks.errors import InputError

EXPECTED = "tokenizer.json or vocab.txt"
SENTENCEPIECE = (
    "convert it once, where the package sentencepiece is: AutoTokenizer.from_pretrained(...).save_pretrained(folder)"
)
DOCUMENTS = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json")
PROBE = ("a", "\U0010fffd")  # a pair of texts, the second of a character that no vocabulary has


def load_tokenizer(folder: Path, config: Any) -> Any:
    """The fast tokenizer of a model folder.

    Args:
        config: Of transformers, which else reads the folder's config.json again, unchecked: one line of it that tells
            of a billion labels fills the memory.

    Raises:
        InputError: There is none, or its files are damaged or need code that is not part of transformers.
    """
    from transformers import AutoTokenizer

    # Without any of these files transformers makes a tokenizer of special tokens alone, to which all words are unknown.
    if not any(any(folder.glob(pattern)) for pattern in ("tokenizer.json", "vocab.*", "*.model")):
        raise InputError("no tokenizer", where=str(folder), expected=EXPECTED, found="no such file in it")
    for name in DOCUMENTS:
        if (folder / name).is_file():
            read_object(folder / name, what="cannot load a tokenizer")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, config=config, local_files_only=True, trust_remote_code=False)
    except BaseException as error:
        alone = any(folder.glob("*.model")) and not (folder / "tokenizer.json").is_file()
        raise _refusal(error, "cannot load a tokenizer", folder, SENTENCEPIECE if alone else "") from None
    if not getattr(tokenizer, "is_fast", False):
        raise InputError("the tokenizer has no tokenizer.json form", where=str(folder), expected="a fast tokenizer")
    return tokenizer


def check_tokenizer(tokenizer: Any, architecture: Architecture, folder: Path) -> None:
    """See that every token has a row in the embedding tables, and that padding is what the encoder takes for padding.

    Raises:
        InputError: It belongs to another model; names the sizes of both.
    """
    foreign, where = "the tokenizer does not belong to these weights", str(folder)
    size = max(len(tokenizer), 1 + max(tokenizer.get_vocab().values(), default=0))
    expected = f"at most {architecture.vocabulary} tokens, the rows of the embedding matrix"
    if size > architecture.vocabulary:
        raise InputError(foreign, where=where, expected=expected, found=str(size))
    if tokenizer.pad_token_id != architecture.pad_id:
        found = "none" if tokenizer.pad_token_id is None else f"{tokenizer.pad_token_id} ({tokenizer.pad_token})"
        of_config = f"{architecture.pad_id}, the config's pad_token_id"
        raise InputError("another padding token", where=where, expected=of_config, found=f"{found} in the tokenizer")
    try:
        probe = tokenizer(*PROBE)
    except BaseException as error:
        raise _refusal(error, "the tokenizer cannot read every text", folder) from None
    most = max(probe["input_ids"], default=0)
    if most >= architecture.vocabulary:  # special tokens are written by number as well
        raise InputError(foreign, where=where, expected=expected, found=f"token id {most}")
    kinds = max(probe.get("token_type_ids", ()), default=0)
    if architecture.types > 1 and kinds >= architecture.types:
        rows = f"token types below {architecture.types}, the rows of their table"
        raise InputError(foreign, where=where, expected=rows, found=str(kinds))
    if tokenizer.num_special_tokens_to_add() == 0:
        expected = "one before a text, where BERT and its kin gather what it says"
        raise InputError("the tokenizer adds no special token", where=where, expected=expected)


def tokenizer_digest(tokenizer: Any) -> str:
    """Content id of vocabulary, normaliser, pre-tokeniser and special tokens, not of padding or truncation settings."""
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    return content_id("tokenizer", canonical({k: v for k, v in state.items() if k not in ("padding", "truncation")}))


def _refusal(error: BaseException, what: str, folder: Path, fix: str = "") -> BaseException:
    """What to raise where the tokenizer failed: whatever a damaged file leads transformers to, the plain Exception of
    tokenizers, and its panics, which are no Exception. Who asked to stop is heard."""
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
        return error
    found = " ".join(str(error).split())[:160] or type(error).__name__
    return InputError(what, where=str(folder), expected=EXPECTED, found=found, fix=fix)
