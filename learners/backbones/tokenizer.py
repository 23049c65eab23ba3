"""The tokenizer of a backbone: loaded without running third-party code, and checked against the backbone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from learners.backbones.architecture import Architecture
from learners.backbones.library_config import library_config
from learners.backbones.tokenizer_file import read_tokenizer
from tasks.content import canonical, content_id
from tasks.documents import read_object
from tasks.errors import InputError
from tasks.tokenizer import Tokenizer, tokenise

EXPECTED = "tokenizer.json or vocab.txt"
SENTENCEPIECE = "install sentencepiece and convert it once: AutoTokenizer.from_pretrained(...).save_pretrained(folder)"
DOCUMENTS = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json")
PROBE = ("a", "\U0010fffd")  # a pair of texts; no vocabulary has the character of the second


def load_tokenizer(folder: Path, architecture: Architecture, config: Mapping[str, Any]) -> Tokenizer:
    """Loads the tokenizer of a model folder: the one that transformers would load.

    It imports transformers only if tokenizer.json alone may give another one (see `learners.backbones.tokenizer_file`).

    Args:
        folder: The model folder.
        architecture: Its architecture.
        config: Its config.json as written.

    Raises:
        InputError: There is no tokenizer, its files are damaged, or it needs code that is not part of transformers.
    """
    # Without any of these files transformers builds a tokenizer with special tokens only: all words are unknown to it.
    if not any(any(folder.glob(pattern)) for pattern in ("tokenizer.json", "vocab.*", "*.model")):
        raise InputError("no tokenizer", where=str(folder), expected=EXPECTED, found="no such file in it")
    files = [name for name in DOCUMENTS if (folder / name).is_file()]
    documents = {name: read_object(folder / name, what="cannot load a tokenizer") for name in files}
    try:
        found = read_tokenizer(folder, documents, config)
    except BaseException as error:
        raise _refusal(error, "cannot load a tokenizer", folder) from None
    return from_library(library_tokenizer(folder, architecture, config)) if found is None else found


def library_tokenizer(folder: Path, architecture: Architecture, config: Mapping[str, Any]) -> Any:
    """Loads the tokenizer of a model folder by `AutoTokenizer` of transformers, without running code from the folder.

    Raises:
        InputError: As for `load_tokenizer`.
    """
    from transformers import AutoTokenizer

    # Without a config object, transformers reads config.json again without checks, and a value such as a billion labels
    # fills the memory.
    checked = library_config(architecture, config, str(folder / "config.json"))
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, config=checked, local_files_only=True, trust_remote_code=False
        )
    except BaseException as error:
        alone = any(folder.glob("*.model")) and not (folder / "tokenizer.json").is_file()
        raise _refusal(error, "cannot load a tokenizer", folder, SENTENCEPIECE if alone else "") from None
    if not getattr(tokenizer, "is_fast", False):
        expected = "a fast tokenizer, one with a tokenizer.json"
        raise InputError("the tokenizer is not a fast tokenizer", where=str(folder), expected=expected)
    return tokenizer


def from_library(tokenizer: Any) -> Tokenizer:
    """Returns what encoding needs of a fast tokenizer of transformers (`PreTrainedTokenizerFast`)."""
    tokens = {name: text for name, text in tokenizer.special_tokens_map.items() if isinstance(text, str)}
    typed = "token_type_ids" in tokenizer.model_input_names
    return Tokenizer(tokenizer.backend_tokenizer, tokens, typed, tokenizer.truncation_side)


def check_tokenizer(tokenizer: Tokenizer, architecture: Architecture, folder: Path) -> None:
    """Checks that every token has a row in the embedding tables, and that tokenizer and encoder have equal padding ids.

    Raises:
        InputError: The tokenizer belongs to another model, cannot read every text, or adds no special token.
    """
    foreign, where = "the tokenizer does not belong to these weights", str(folder)
    vocabulary = tokenizer.backend.get_vocab(with_added_tokens=True)
    size = max(len(vocabulary), 1 + max(vocabulary.values(), default=0))
    expected = f"at most {architecture.vocabulary} tokens, the rows of the embedding matrix"
    if size > architecture.vocabulary:
        raise InputError(foreign, where=where, expected=expected, found=str(size))
    if tokenizer.pad_id != architecture.pad_id:
        found = "none" if tokenizer.pad_id is None else f"{tokenizer.pad_id} ({tokenizer.pad_token})"
        of_config = f"{architecture.pad_id}, the config's pad_token_id"
        what = "tokenizer and config differ in the padding token"
        raise InputError(what, where=where, expected=of_config, found=f"{found} in the tokenizer")
    try:
        (probe,) = tokenise(tokenizer, PROBE[:1], PROBE[1:])
        single = tokenizer.special_tokens(pair=False)
    except BaseException as error:
        raise _refusal(error, "the tokenizer cannot read every text", folder) from None
    most = max(probe.ids, default=0)
    if most >= architecture.vocabulary:  # a template may write special tokens by ids outside the vocabulary
        raise InputError(foreign, where=where, expected=expected, found=f"token id {most}")
    kinds = max(probe.type_ids, default=0) if tokenizer.typed else 0
    if architecture.types > 1 and kinds >= architecture.types:
        rows = f"token types below {architecture.types}, the rows of their table"
        raise InputError(foreign, where=where, expected=rows, found=str(kinds))
    if single == 0:
        expected = "a special token before each text, as in BERT: its output represents the text"
        raise InputError("the tokenizer adds no special token", where=where, expected=expected)


def tokenizer_digest(tokenizer: Tokenizer, architecture: Architecture) -> str:
    """Returns the content id of a tokenizer: of all that changes what an encoder reads of a row.

    Args:
        architecture: The encoder's architecture. Token types count only if it has a table for them.
    """
    state = json.loads(tokenizer.backend.to_str())
    text = canonical({k: v for k, v in state.items() if k not in ("padding", "truncation")})
    untyped = architecture.types > 1 and not tokenizer.typed
    unusual = {"no token types": untyped, "cut left": tokenizer.side == "left"}
    return content_id("tokenizer", text, *(name for name, found in unusual.items() if found))


def _refusal(error: BaseException, what: str, folder: Path, fix: str = "") -> BaseException:
    """Returns the exception to raise after a failure of the tokenizer.

    A damaged file can cause any exception in transformers, a plain Exception in tokenizers, and panics of Rust, which
    do not inherit from Exception. All become an InputError. Interrupts and exits are returned unchanged.
    """
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
        return error
    found = " ".join(str(error).split())[:160] or type(error).__name__
    return InputError(what, where=str(folder), expected=EXPECTED, found=found, fix=fix)
