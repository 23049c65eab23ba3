"""Extrapolated FLOPs equal PyTorch's own count of whole batches, to the unit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from learners.forward.flops import flops_per_row
from learners.forward.forward import logits
from learners.forward.polynomial import total_flops
from learners.specification.family import parse_learner
from tests.loaded import backbone, encoded, moved

TASK = encoded("colours", classes=3).task
LEARNERS = ("full", "topk:1", "layernorm", "adapter:8", "adapterbias:share=alpha", "head")
BACKBONES = (("bert", "cls"), ("electra", "mean"), ("deberta-v2", "cls"), ("modernbert", "mean"))
CASES = [(s, *BACKBONES[0]) for s in (*LEARNERS, "lora:2")] + [
    (s, *b) for s in ("full", "lora:2") for b in BACKBONES[1:]
]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(("specification", "model_type", "pooling"), CASES)
@given(rows=st.integers(1, 5), length=st.integers(2, 40))
@settings(max_examples=2)
def test_any_batch(specification: str, model_type: str, pooling: str, backward: bool, rows: int, length: int) -> None:
    base, learner = backbone(model_type, pooling), parse_learner(specification)
    trainable = {n: t.requires_grad_(backward) for n, t in moved(base, learner, TASK).tensors.items()}
    ids = torch.randint(5, 20, (rows, length))
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.set_grad_enabled(backward), FlopCounterMode(display=False) as counter:
        output = logits(base, learner, trainable, batch)
        if backward:
            torch.autograd.backward(output.sum())
    found = total_flops(flops_per_row(base, learner, 3, backward=backward), rows, length)
    assert round(found) == counter.get_total_flops()
    assert found == pytest.approx(round(found), abs=1e-3)


def test_forward_pass_by_hand() -> None:
    """2·(4 d² + 2 d ff) a token and layer, 4 d S for scores and values, pooler and head once a row, nothing else."""
    d, ffn, layers, classes = 16, 32, 2, 3
    found = flops_per_row(backbone(), parse_learner("head"), classes, backward=False)
    expected = [0, 2 * d * d + 2 * d * classes, layers * 2 * (4 * d * d + 2 * d * ffn), layers * 4 * d]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_what_is_frozen_costs_less_to_train() -> None:
    cost = {s: total_flops(flops_per_row(backbone(), parse_learner(s), 2, backward=True), 8, 16) for s in LEARNERS}
    assert cost["head"] < cost["topk:1"] < cost["full"]
    # no gradient is needed below the lowest trained tensor: the first FFN for AdapterBias, the first norm for others
    assert cost["head"] < cost["adapterbias:share=alpha"] < cost["layernorm"] < cost["adapter:8"] < cost["full"]


def test_counting_draws_nothing_and_majority_is_free() -> None:
    before = torch.get_rng_state()
    flops_per_row(backbone(), parse_learner("adapter:8"), 2, backward=True)
    assert torch.equal(before, torch.get_rng_state())
    assert not flops_per_row(backbone(), parse_learner("majority"), 2, backward=True).any()
