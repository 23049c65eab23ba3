"""Tokenizers read from tokenizer.json alone, against those of transformers: under any settings both give the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learners.backbones.architecture import Architecture, architecture_from_config
from learners.backbones.architectures import ANATOMIES
from learners.backbones.tokenizer import DOCUMENTS, from_library, library_tokenizer, load_tokenizer, tokenizer_digest
from learners.backbones.tokenizer_file import read_tokenizer
from tasks.errors import InputError
from tasks.tokenizer import Tokenizer, tokenise
from tests.worlds import SETTINGS

MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "<pad>", "</s>", "<unk>", "<mask>"]
WORDS = ["ash", "elm", "Oak", "oak", "##s", "é", "e", "木", "s", "."]
# Capitals, accents, Chinese, marks in the text, an unknown word, spaces, nothing.
TEXTS = [
    "ash oaks",
    "Oak ÉLM é",
    "木木 ash",
    "[MASK] oak <mask> [SEP] oak",
    "yew zzz",
    "  oak\n\tash ",
    "",
    "extra ash",
]
BERT_NAMED = {f"{name.lower()}_token": f"[{name}]" for name in ("PAD", "UNK", "CLS", "SEP", "MASK")}
ROBERTA_NAMED = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"}


def flags(content: str, number: int, **changes: Any) -> dict[str, Any]:
    """An added token, as tokenizer.json has it."""
    usual = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": number, "content": content, **usual, **changes}


def like_bert() -> dict[str, Any]:
    """The tokenizer.json that BERT's models come with, with few words."""
    words = {word: number for number, word in enumerate([*MARKS, *WORDS])}
    marks = {mark: {"id": mark, "ids": [words[mark]], "tokens": [mark]} for mark in ("[CLS]", "[SEP]")}
    start, end = ({"SpecialToken": {"id": mark, "type_id": 0}} for mark in marks)
    first, second = ({"Sequence": {"id": part, "type_id": kind}} for part, kind in (("A", 0), ("B", 1)))
    last = {"SpecialToken": {"id": "[SEP]", "type_id": 1}}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [flags(mark, words[mark]) for mark in MARKS[:5]],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [start, first, end],
            "pair": [start, first, end, second, last],
            "special_tokens": marks,
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": words,
        },
    }


def like_roberta() -> dict[str, Any]:
    """The tokenizer.json that RoBERTa's models come with: every byte, and few merges."""
    from tokenizers.pre_tokenizers import ByteLevel

    pieces = [*MARKS[5:], *MARKS[:5], *sorted(ByteLevel.alphabet()), "as", "ash", "oa", "oak", "Ġoak", "Ġash"]
    words = {piece: number for number, piece in enumerate(pieces)}
    merges = ["a s", "as h", "o a", "oa k", "Ġ oak", "Ġ ash"]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    marks = [flags(mark, words[mark]) for mark in MARKS[5:9]]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [*marks, flags("<mask>", words["<mask>"], lstrip=True)],
        "normalizer": None,
        "pre_tokenizer": level,
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": ["</s>", words["</s>"]],
            "cls": ["<s>", words["<s>"]],
            "trim_offsets": True,
            "add_prefix_space": False,
        },
        "decoder": {**level, "add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": words,
            "merges": merges,
        },
    }


def write(folder: Path, state: Mapping[str, Any], **documents: Mapping[str, Any] | None) -> None:
    for name in DOCUMENTS:
        (folder / name).unlink(missing_ok=True)
    for name, content in {"tokenizer": state, **documents}.items():
        if content is not None:
            (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def config_of(model_type: str, **more: Any) -> tuple[Architecture, dict[str, Any]]:
    config = {"model_type": model_type, **ANATOMIES[model_type].usual, **SETTINGS.get(model_type, {}), **more}
    return architecture_from_config(config), config


def alone(folder: Path, config: Mapping[str, Any]) -> Tokenizer | None:
    """What is read without transformers."""
    files = [name for name in DOCUMENTS if (folder / name).is_file()]
    documents = {name: json.loads((folder / name).read_text(encoding="utf-8")) for name in files}
    return read_tokenizer(folder, documents, config)


def assert_equal(found: Tokenizer, library: Any, architecture: Architecture) -> None:
    """The same tokenizer: state, padding, and the rows of difficult texts, which transformers itself encodes."""
    expected = from_library(library)
    states = [json.loads(each.backend.to_str()) for each in (found, expected)]
    for state in states:
        del state["padding"], state["truncation"]
    assert states[0] == states[1]
    assert (found.pad_token, found.pad_id) == (library.pad_token, library.pad_token_id)
    assert (found.typed, found.side) == (expected.typed, library.truncation_side)
    assert found.tokens == expected.tokens
    assert tokenizer_digest(found, architecture) == tokenizer_digest(expected, architecture)
    assert found.special_tokens(pair=True) == library.num_special_tokens_to_add(pair=True)
    for second, length in ((None, None), (None, 5), (TEXTS[::-1], 9)):
        rows = tokenise(found, TEXTS, second, length)
        cut = {} if length is None else {"truncation": "longest_first", "max_length": length}
        batch = library(TEXTS, second, padding=False, **cut)
        assert [row.ids for row in rows] == batch["input_ids"]
        if found.typed:
            assert [row.type_ids for row in rows] == batch["token_type_ids"]
        else:
            assert "token_type_ids" not in batch


# ---- what is read without transformers

PLAIN = {
    "BERT without settings": ("bert", like_bert(), None),
    "BERT": ("bert", like_bert(), {**BERT_NAMED, "do_lower_case": True, "tokenizer_class": "BertTokenizer"}),
    "ELECTRA": ("electra", like_bert(), {"do_lower_case": True, "tokenizer_class": "ElectraTokenizerFast"}),
    "DistilBERT by its model type": ("distilbert", like_bert(), {"model_max_length": 512}),
    "DistilBERT": ("distilbert", like_bert(), {"tokenizer_class": "DistilBertTokenizer"}),
    "RoBERTa without settings": ("roberta", like_roberta(), None),
    "RoBERTa": ("roberta", like_roberta(), {**ROBERTA_NAMED, "tokenizer_class": "RobertaTokenizer"}),
    "ModernBERT": ("modernbert", like_bert(), {**BERT_NAMED, "tokenizer_class": "PreTrainedTokenizerFast"}),
    "the file as it is": (
        "camembert",
        like_roberta(),
        {**ROBERTA_NAMED, "tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": ["token_type_ids"]},
    ),
    "marks that are plain words": (
        "bert",
        {**like_bert(), "added_tokens": []},
        {**BERT_NAMED, "tokenizer_class": "PreTrainedTokenizerFast"},
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_usual_tokenizers_are_read_without_transformers(tmp_path: Path, name: str) -> None:
    model_type, state, named = PLAIN[name]
    write(tmp_path, state, tokenizer_config=named)
    architecture, config = config_of(model_type)
    found = alone(tmp_path, config)
    assert found is not None
    assert_equal(found, library_tokenizer(tmp_path, architecture, config), architecture)


# ---- what transformers would change

OTHER_NORMALIZER = {**like_bert(), "normalizer": {**like_bert()["normalizer"], "lowercase": False}}
CHANGED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "capitals that the class does not keep": ("bert", OTHER_NORMALIZER, {}),
    "accents that the class strips": ("bert", like_bert(), {"strip_accents": True}),
    "capitals that the class keeps": ("bert", like_bert(), {"do_lower_case": False}),
    "another template": ("bert", {**like_bert(), "post_processor": None}, {}),
    "a token that the settings add": ("bert", like_bert(), {"extra_special_tokens": ["extra"]}),
    "a mark that is no word": ("bert", like_bert(), {"pad_token": "[NOTHING]"}),
    "a mark with flags": ("bert", {**like_bert(), "added_tokens": []}, {"pad_token": flags("[PAD]", 0)}),
    "marks inside texts that are split": ("bert", like_bert(), {"split_special_tokens": True}),
    "rows cut at the left": ("bert", like_bert(), {"truncation_side": "left"}),
    "a class that is not known": ("xlm-roberta", like_roberta(), {"tokenizer_class": "BarthezTokenizer"}),
    "a prefix space": ("roberta", like_roberta(), {"add_prefix_space": True}),
}


@pytest.mark.parametrize("name", CHANGED)
def test_transformers_decides_what_its_settings_change(tmp_path: Path, name: str) -> None:
    model_type, state, named = CHANGED[name]
    for token in (mark for mark in (named.get("pad_token"),) if isinstance(mark, dict)):
        del token["id"]
    write(tmp_path, state, tokenizer_config=named)
    _, config = config_of(model_type)
    assert alone(tmp_path, config) is None


# ---- any settings

# Names of classes by the kind of tokenizer.json that they are for, and others. Mostly those that fit.
FITTING = {
    False: [None, "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizerFast", "PreTrainedTokenizerFast"],
    True: [None, "RobertaTokenizer", "RobertaTokenizerFast", "TokenizersBackend"],
}
CLASSES = [*FITTING[False], *FITTING[True], "NoTokenizer"]
EXTRA = flags("extra", len(MARKS) + len(WORDS))
SETTINGS_DRAWN: dict[str, list[Any]] = {
    "do_lower_case": [True, False],
    "strip_accents": [True, False, None],
    "tokenize_chinese_chars": [True, False],
    "add_prefix_space": [True, False],
    "trim_offsets": [True, False],
    "truncation_side": ["left", "right"],
    "model_input_names": [["input_ids"], ["input_ids", "token_type_ids"]],
    "extra_special_tokens": [[], ["extra"], ["oak"]],
    "additional_special_tokens": [[], ["ash"]],
    "split_special_tokens": [True, False],
    "pad_token": ["[MASK]", "<pad>", "oak", "[NOTHING]", {"__type": "AddedToken", **flags("[PAD]", 0)}],
    "mask_token": ["<mask>", "[MASK]", "elm"],
    "cls_token": ["[CLS]", "<s>"],
    "unk_token": ["[UNK]", "<unk>", "oak"],
    "added_tokens_decoder": [{}, "those of the file", "others"],
    "model_max_length": [4, 512],
    "add_bos_token": [True],
    "clean_up_tokenization_spaces": [True],
}
CUT = {"max_length": 3, "strategy": "LongestFirst", "stride": 0}
PADDED = {"direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
STATE_DRAWN: dict[str, list[Any]] = {
    "normalizer": [None, OTHER_NORMALIZER["normalizer"], {"type": "Lowercase"}],
    "pre_tokenizer": [{"type": "Whitespace"}],
    "decoder": [None],
    "post_processor": [None, {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}],
    "added_tokens": [
        [],
        [EXTRA],
        [{**EXTRA, "id": 40}],
        [EXTRA, {**EXTRA, "id": EXTRA["id"] + 1, "content": "other"}],
        [{**EXTRA, "id": EXTRA["id"] + 1}, {**EXTRA, "content": "other"}],
        [flags("[MASK]", 4, lstrip=True)],
        [flags("oak", 13, special=False, normalized=True)],
        [flags("[PAD]", 0), {**EXTRA, "special": False}],
    ],
    "truncation": [{**CUT, "direction": "Left"}, {**CUT, "direction": "Right"}],
    "padding": [{**PADDED, "strategy": {"Fixed": 7}}],
}


def some_of(choices: Mapping[str, list[Any]], most: int) -> st.SearchStrategy[dict[str, Any]]:
    one = st.sampled_from(sorted(choices)).flatmap(lambda key: st.tuples(st.just(key), st.sampled_from(choices[key])))
    return st.lists(one, max_size=most).map(dict)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["bert", "distilbert", "electra", "roberta", "modernbert"]),
    st.booleans().flatmap(lambda bytes_: st.tuples(st.just(bytes_), st.sampled_from([*FITTING[bytes_] * 3, *CLASSES]))),
    some_of(SETTINGS_DRAWN, 2),
    some_of(STATE_DRAWN, 1),
    st.sampled_from([None, None, None, {}, {"pad_token": "elm"}, {"mask_token": flags("[MASK]", 4)}]),
    st.sampled_from([None, None, None, None, {"elm": 11}, {"new": 40}]),
)
def test_what_is_read_alone_is_what_transformers_reads(
    tmp_path_factory: pytest.TempPathFactory,
    model_type: str,
    kind: tuple[bool, str | None],
    drawn: dict[str, Any],
    changes: dict[str, Any],
    mapped: dict[str, Any] | None,
    more: dict[str, Any] | None,
) -> None:
    bytes_, named = kind
    state = {**(like_roberta() if bytes_ else like_bert()), **changes}
    chosen = {**(ROBERTA_NAMED if bytes_ else BERT_NAMED), **drawn} | ({"tokenizer_class": named} if named else {})
    if chosen.get("added_tokens_decoder"):
        others = chosen["added_tokens_decoder"] == "others"
        found = {str(token["id"]): {**token, "lstrip": others} for token in state["added_tokens"]}
        chosen["added_tokens_decoder"] = {
            number: {k: v for k, v in t.items() if k != "id"} for number, t in found.items()
        }
    folder = tmp_path_factory.mktemp("model")
    write(folder, state, tokenizer_config=chosen, special_tokens_map=mapped, added_tokens=more)
    architecture, config = config_of(model_type)
    try:
        found_alone = alone(folder, config)
    except BaseException:
        with pytest.raises(InputError, match="cannot load a tokenizer"):
            library_tokenizer(folder, architecture, config)
        return
    if found_alone is not None:
        assert_equal(found_alone, library_tokenizer(folder, architecture, config), architecture)


def test_without_a_tokenizer_file_transformers_builds_one(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join([*MARKS, *WORDS]), encoding="utf-8")
    architecture, config = config_of("bert")
    assert alone(tmp_path, config) is None
    assert_equal(
        load_tokenizer(tmp_path, architecture, config), library_tokenizer(tmp_path, architecture, config), architecture
    )
