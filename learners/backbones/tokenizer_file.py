"""Reads tokenizer.json without transformers, where that gives the tokenizer that transformers would give.

transformers (5.x) does not always take what tokenizer.json says. Its class for a model may build the tokenizer anew
from the vocabulary and from settings in tokenizer_config.json, and it adds tokens that these settings name. The import
of transformers takes seconds, so `read_tokenizer` reads the file alone if all of this holds:

1. The class is one of `CLASSES`: it takes the file as it is, or how it builds a tokenizer is written out there.
2. Every key of tokenizer_config.json and special_tokens_map.json is known (`NAMED`, `RULES`, `WITHOUT_EFFECT`, `READ`),
   and there is no added_tokens.json.
3. The tokens that tokenizer_config.json adds are those of tokenizer.json, with equal flags. The named special tokens
   are special in tokenizer.json, or they are words of its vocabulary, which are then marked as special. Tokenizer.json
   gives added tokens the ids that they get.
4. If the class builds the tokenizer anew, the result has the normalizer, pre-tokenizer, post-processor, decoder and
   settings of the model that are in the file.
5. The file has a post-processor, and neither padding nor truncation in it says more than the settings.

Otherwise it returns None, and the caller asks transformers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learners.backbones.tokenizer_classes import AS_WRITTEN, CLASSES, RULES, USUAL, Class
from tasks.tokenizer import Tokenizer

if TYPE_CHECKING:
    import tokenizers

Documents = Mapping[str, Mapping[str, Any]]
NAMED = tuple(f"{name}_token" for name in ("bos", "eos", "unk", "sep", "pad", "cls", "mask"))
# Settings that change no token id and no token type. Rows are cut and padded by this package's own settings.
WITHOUT_EFFECT = frozenset(
    {
        "backend",
        "clean_up_tokenization_spaces",
        "do_basic_tokenize",
        "errors",
        "is_local",
        "local_files_only",
        "max_length",
        "max_len",
        "model_max_length",
        "name_or_path",
        "never_split",
        "pad_to_multiple_of",
        "pad_token_type_id",
        "padding_side",
        "special_tokens_map_file",
        "stride",
        "tokenizer_file",
        "truncation_strategy",
    }
)
# Settings that are read here and belong to no other group.
READ = frozenset({"added_tokens_decoder", "model_input_names", "tokenizer_class", "truncation_side"})
EXTRA = ("additional_special_tokens", "extra_special_tokens")  # read here only if they are empty
FLAGS = ("content", "single_word", "lstrip", "rstrip", "normalized", "special")
PARTS = ("normalizer", "pre_tokenizer", "post_processor", "decoder", "model")
VOCABULARY = ("vocab", "merges")  # what the part `model` holds besides settings


def read_tokenizer(folder: Path, documents: Documents, config: Mapping[str, Any]) -> Tokenizer | None:
    """Reads the tokenizer.json of a model folder.

    Args:
        folder: The model folder.
        documents: File name -> content of each JSON file of the tokenizer that is in the folder.
        config: `config.json` as written. `tokenizer_class` counts if tokenizer_config.json names no class.

    Returns:
        The tokenizer; None if transformers might give another one (see this file's text).

    Raises:
        Exception: tokenizer.json is damaged. The library has no class of its own for its errors, and it may panic.
    """
    import tokenizers

    if "tokenizer.json" not in documents or "added_tokens.json" in documents:
        return None
    settings = documents.get("tokenizer_config.json", {})
    # With `added_tokens_decoder`, transformers does not read special_tokens_map.json.
    mapped = {} if "added_tokens_decoder" in settings else documents.get("special_tokens_map.json", {})
    kind = _class(settings, config)
    if kind is None or not _known(settings, mapped):
        return None
    backend = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    state = json.loads(backend.to_str())
    written = documents["tokenizer.json"].get("added_tokens", [])
    # The library numbers added tokens in the order of the file, transformers in the order of their ids there.
    if _ids(written) != _ids(state["added_tokens"]):
        return None
    named = {**kind.tokens, **settings, **mapped}
    given = {name: named[name] for name in NAMED if name in named}
    tokens = {name: text for name, token in given.items() if (text := _text(token)) is not None}
    if len(tokens) < len(given) or not _add_special(backend, state, settings, list(given.values())):
        return None
    ids = {token: number for token in tokens.values() if (number := backend.token_to_id(token)) is not None}
    if kind.build is not None and not _equals_rebuilt(state, kind.build(settings, tokens, ids)):
        return None
    padded, cut = state["padding"], state["truncation"]
    if (padded and "pad_token" not in tokens) or (cut and cut["direction"] != "Right"):
        return None  # transformers takes padding token and side of truncation from these parts of the file
    if state["post_processor"] is None:
        return None  # transformers writes one
    inputs = settings.get("model_input_names", ["token_type_ids"] if kind.typed else [])
    return Tokenizer(backend, tokens, "token_type_ids" in inputs)


def _class(settings: Mapping[str, Any], config: Mapping[str, Any]) -> Class | None:
    """Returns the class that `AutoTokenizer` takes; None if it is not in `CLASSES`."""
    usual = USUAL.get(str(config.get("model_type")))
    named = settings.get("tokenizer_class") or config.get("tokenizer_class") or usual
    if usual == AS_WRITTEN:
        return CLASSES[AS_WRITTEN]  # for these model types transformers does not use the class that the settings name
    return CLASSES.get(named.removesuffix("Fast")) if isinstance(named, str) else None


def _known(settings: Mapping[str, Any], mapped: Mapping[str, Any]) -> bool:
    """Whether every key is known, and every setting that is read has a value of its type."""
    empty = {name for part in (settings, mapped) for name in EXTRA if not part.get(name)}
    inputs, rules = settings.get("model_input_names", []), [settings[name] for name in RULES if name in settings]
    return (
        settings.keys() <= {*NAMED, *RULES, *WITHOUT_EFFECT, *READ, *empty}
        and mapped.keys() <= {*NAMED, *empty}
        and not any(part.get(name) for part in (settings, mapped) for name in EXTRA)
        and all(isinstance(value, bool | None) for value in rules)
        and isinstance(inputs, list)
        and isinstance(settings.get("added_tokens_decoder", {}), dict)
        and settings.get("truncation_side", "right") == "right"
    )


def _text(token: Any) -> str | None:
    """Returns the text of a special token, which is written alone or with its flags; None if it is neither."""
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) else None


def _add_special(
    backend: tokenizers.Tokenizer,
    state: Mapping[str, Any],
    settings: Mapping[str, Any],
    named: Sequence[Any],
) -> bool:
    """Marks the named special tokens as special where tokenizer.json does not.

    Returns:
        Whether transformers does the same, and adds no other token.
    """
    from tokenizers import AddedToken

    added = {str(token["id"]): {flag: token[flag] for flag in FLAGS} for token in state["added_tokens"]}
    if settings.get("added_tokens_decoder", added) != added:
        return False
    special = {token["content"]: token["special"] for token in added.values()}
    missing = [token for token in named if _text(token) not in special]
    if not all(special.get(_text(token), True) for token in named):
        return False
    if any(isinstance(token, dict) or backend.token_to_id(token) is None for token in missing):
        return False
    backend.add_special_tokens([AddedToken(token, normalized=False) for token in missing])
    return True


def _equals_rebuilt(state: Mapping[str, Any], rebuilt: tokenizers.Tokenizer) -> bool:
    """Whether two tokenizers are equal. Vocabularies and added tokens, which are the same, are not compared."""
    parts, expected = (
        {name: part[name] for name in PARTS} | {"model": _settings_of(part["model"])}
        for part in (state, json.loads(rebuilt.to_str()))
    )
    return parts == expected


def _ids(added: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Returns token -> id of added tokens."""
    return {token["content"]: token["id"] for token in added}


def _settings_of(model: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in model.items() if key not in VOCABULARY}
