"""The tokenizer classes of transformers (5.x) whose tokenizers are read without it, and how they build a tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tokenizers

AS_WRITTEN = "TokenizersBackend"  # the class that takes tokenizer.json as it is
# Settings by which a class builds a tokenizer anew -> their defaults.
RULES: Mapping[str, bool | None] = {
    "do_lower_case": True,
    "strip_accents": None,
    "tokenize_chinese_chars": True,
    "add_prefix_space": False,
    "trim_offsets": True,
}


@dataclass(frozen=True)
class Class:
    """A tokenizer class of transformers.

    Attributes:
        typed: Whether it gives token types, unless `model_input_names` says otherwise.
        tokens: Its default special tokens, by name.
        build: Takes the settings, name -> special token, and special token -> id. Returns what the class builds from
            them, without vocabulary. None: the class takes tokenizer.json as it is.
    """

    typed: bool
    tokens: Mapping[str, str]
    build: Callable[[Mapping[str, Any], Mapping[str, str], Mapping[str, int]], tokenizers.Tokenizer] | None = None


def _bert(settings: Mapping[str, Any], tokens: Mapping[str, str], ids: Mapping[str, int]) -> tokenizers.Tokenizer:
    """Builds what `BertTokenizer` builds (transformers 5, models/bert/tokenization_bert.py), without vocabulary."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    rules = {**RULES, **settings}
    start, end = tokens["cls_token"], tokens["sep_token"]
    rebuilt = Tokenizer(models.WordPiece({}, unk_token=tokens["unk_token"]))
    rebuilt.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=rules["tokenize_chinese_chars"],
        strip_accents=rules["strip_accents"],
        lowercase=rules["do_lower_case"],
    )
    rebuilt.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    rebuilt.decoder = decoders.WordPiece(prefix="##")
    rebuilt.post_processor = processors.TemplateProcessing(
        single=f"{start}:0 $A:0 {end}:0",
        pair=f"{start}:0 $A:0 {end}:0 $B:1 {end}:1",
        special_tokens=[(start, ids[start]), (end, ids[end])],
    )
    return rebuilt


def _roberta(settings: Mapping[str, Any], tokens: Mapping[str, str], ids: Mapping[str, int]) -> tokenizers.Tokenizer:
    """Builds what `RobertaTokenizer` builds (models/roberta/tokenization_roberta.py), without vocabulary."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    rules = {**RULES, **settings}
    start, end = tokens["cls_token"], tokens["sep_token"]
    model = models.BPE({}, [], continuing_subword_prefix="", end_of_word_suffix="", fuse_unk=False)
    rebuilt = Tokenizer(model)
    rebuilt.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=rules["add_prefix_space"])
    rebuilt.decoder = decoders.ByteLevel()
    rebuilt.post_processor = processors.RobertaProcessing(
        (end, ids[end]), (start, ids[start]), rules["trim_offsets"], rules["add_prefix_space"]
    )
    return rebuilt


_OF_BERT = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
_OF_ROBERTA = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "cls_token": "<s>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}
# Names of classes, without the ending `Fast`.
CLASSES: Mapping[str, Class] = {
    AS_WRITTEN: Class(typed=False, tokens={}),
    "PreTrainedTokenizer": Class(typed=False, tokens={}),
    "BertTokenizer": Class(typed=True, tokens=_OF_BERT, build=_bert),
    "ElectraTokenizer": Class(typed=True, tokens=_OF_BERT, build=_bert),
    "DistilBertTokenizer": Class(typed=False, tokens=_OF_BERT, build=_bert),
    "RobertaTokenizer": Class(typed=False, tokens=_OF_ROBERTA, build=_roberta),
}
# Model type -> its class, unless settings name another one.
USUAL: Mapping[str, str] = {
    "bert": "BertTokenizer",
    "distilbert": "BertTokenizer",
    "electra": "BertTokenizer",
    "roberta": "RobertaTokenizer",
    "modernbert": AS_WRITTEN,
}
