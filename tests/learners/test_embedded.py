"""The backbone in the package: small, complete, readable without pickle, and at home in the simulated language."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pretraining.documents import document

from learners.backbones.backbone import Backbone, load_backbone
from learners.backbones.locate import EMBEDDED
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.registry import twins
from tasks.sources.simulated.twin import examples

MEGABYTES = 10  # what the package may carry of weights, configuration, tokenizer and card


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone("embedded")


def letters(text: str) -> str:
    """A text without what a lower-case WordPiece vocabulary does not keep: capitals and spaces."""
    return re.sub(r"\s", "", text).lower()


def read_back(backbone: Backbone, text: str) -> str:
    """What the tokens of a text say: WordPiece tokens joined without their continuation marks."""
    tokens = backbone.tokenizer.backend.encode(text, add_special_tokens=False).tokens
    assert "[UNK]" not in tokens, text
    return "".join(token.removeprefix("##") for token in tokens)


def test_it_is_small_and_holds_no_pickle() -> None:
    files = [file for file in EMBEDDED.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= MEGABYTES * 10**6
    assert {file.suffix for file in files} <= {".json", ".md", ".safetensors"}


def test_the_card_names_these_weights() -> None:
    digest = hashlib.sha256((EMBEDDED / "model.safetensors").read_bytes()).hexdigest()
    assert digest in (EMBEDDED / "CARD.md").read_text(encoding="utf-8")


def test_its_loss_curve_falls() -> None:
    curve = json.loads((EMBEDDED / "pretraining.json").read_text())["curve"]
    assert curve[-1]["words"] < curve[0]["words"] / 2


def test_it_pools_by_the_mean_and_has_the_pooler_of_bert_for_cls(backbone: Backbone) -> None:
    assert (backbone.pooling, backbone.architecture.pooler) == ("mean", False)
    first = load_backbone("embedded:cls")
    assert (first.pooling, first.architecture.pooler) == ("cls", True)


def test_every_word_of_the_lexicon_has_tokens(backbone: Backbone) -> None:
    words = lexicon()
    for table in (words.nouns, words.verbs, words.adjectives, words.names):
        for concept in table.values():
            for word in concept.words:
                for form in (word.base, *word.irregular):
                    assert read_back(backbone, form) == letters(form)


@pytest.mark.parametrize("name", sorted(twins()))
def test_texts_of_every_twin_go_through_the_tokenizer_and_back(backbone: Backbone, name: str) -> None:
    for row in examples(twins()[name], 7, "train", 10):
        for text in filter(None, (row.text, row.text_b)):
            assert read_back(backbone, text) == letters(text)


@given(st.integers(0, 2**31), st.integers(0, 2**31))
def test_any_document_of_the_language_goes_through_the_tokenizer_and_back(
    backbone: Backbone, seed: int, index: int
) -> None:
    told = document(seed, index)
    for text in filter(None, (told.text, told.text_b)):
        assert read_back(backbone, text) == letters(text)
