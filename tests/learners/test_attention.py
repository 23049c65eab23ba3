"""Attention against transformers' own, and against the formula."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers.models.bert.modeling_bert import eager_attention_forward

from learners.backbones.attention import NAME, attention, attention_of


@given(
    rows=st.integers(1, 3),
    heads=st.integers(1, 3),
    length=st.integers(1, 9),
    width=st.integers(1, 8),
    padded=st.booleans(),
    scaled=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_is_that_of_transformers(
    rows: int, heads: int, length: int, width: int, padded: bool, scaled: bool, seed: int
) -> None:
    draw = torch.Generator().manual_seed(seed)
    query, key, value = (torch.randn(rows, heads, length, width, generator=draw) for _ in range(3))
    mask = None
    if padded:
        hidden = torch.rand(rows, 1, 1, length, generator=draw) < 0.4
        hidden[..., 0] = False  # a row has at least one token
        least = torch.finfo(torch.float32).min
        mask = torch.zeros(rows, 1, length, length).masked_fill(hidden, least)
    scaling = 0.3 if scaled else None
    module = nn.Module().eval()
    ours, weights = attention(module, query, key, value, mask, scaling)
    theirs, expected = eager_attention_forward(module, query, key, value, mask, scaling)
    torch.testing.assert_close(weights, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    assert torch.allclose(weights.sum(-1), torch.ones(()))


def test_in_bfloat16_it_is_nearer_to_the_formula_than_transformers() -> None:
    draw = torch.Generator().manual_seed(0)
    exact = [torch.randn(4, 2, 24, 32, generator=draw).bfloat16().double() for _ in range(3)]
    expected = torch.softmax(exact[0] @ exact[1].transpose(2, 3) / 32**0.5, -1) @ exact[2]
    module = nn.Module().eval()
    query, key, value = (x.bfloat16() for x in exact)
    error = {
        name: (found(module, query, key, value, None)[0].transpose(1, 2).double() - expected).abs().mean().item()
        for name, found in {"ours": attention, "theirs": eager_attention_forward}.items()
    }
    assert error["ours"] < error["theirs"]


def test_dropout_acts_on_weights_in_training_alone() -> None:
    query = torch.randn(2, 2, 6, 4)
    _, plain = attention(nn.Module().eval(), query, query, query, None, dropout=0.5)
    torch.manual_seed(0)
    _, dropped = attention(nn.Module().train(), query, query, query, None, dropout=0.5)
    assert (plain > 0).all()
    assert (dropped == 0).any()
    torch.testing.assert_close(dropped[dropped > 0], 2 * plain[dropped > 0])


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert", "electra", "modernbert"])
def test_models_take_it(name: str) -> None:
    from transformers import MODEL_MAPPING, AutoConfig

    assert attention_of(MODEL_MAPPING[type(AutoConfig.for_model(name))]) == NAME


def test_a_model_with_an_attention_of_its_own_keeps_it() -> None:
    from transformers import DebertaV2Model

    assert attention_of(DebertaV2Model) == "eager"
