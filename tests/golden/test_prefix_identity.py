"""Prefix tuning is a gated adapter: He et al. 2022, equations 7 to 9, with the 1/√d_h that the paper leaves out.

Attn(q, [P_k; K], [P_v; V]) = (1 − λ) Attn(q, K, V) + λ softmax(q P_kᵀ/√d_h) P_v, where λ is the share of the attention
that falls to the prefix; padding is masked in K, never in P_k.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from learners.backbones.sites import Role
from learners.forms import Prefix, Reading
from learners.forms.form import by_head, joined
from learners.forward.change import Reads, change_by
from learners.forward.forward import STATES
from learners.specification.family import parse_learner
from tests.loaded import batch_of, encoded, moved, sharp_backbone
from tests.worlds import ARCHITECTURES

PAIRS = encoded("pairs", kind="pair")


@given(
    length=st.integers(1, 9),
    tokens=st.integers(1, 12),
    heads=st.integers(1, 4),
    size=st.sampled_from([1, 2, 8]),
    scale=st.sampled_from([0.1, 1.0, 3.0]),
    seed=st.integers(0, 9999),
)
def test_the_gated_change_is_attention_over_both(
    length: int, tokens: int, heads: int, size: int, scale: float, seed: int
) -> None:
    """To 1e-5 in float32, against PyTorch's own attention over the concatenated keys; rows of different lengths."""
    draw, d = torch.Generator().manual_seed(seed), heads * size
    q, k, v = (scale * torch.randn(3, tokens, d, generator=draw) for _ in range(3))
    tensors = {name: scale * torch.randn(length, d, generator=draw) for name in ("keys", "values")}
    mask = torch.arange(tokens) < torch.randint(1, tokens + 1, (3, 1), generator=draw)  # [B, S]

    def attended(k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        found = F.scaled_dot_product_attention(
            *(by_head(t, heads) for t in (q, k, v)), attn_mask=mask[:, None, None, :]
        )
        return joined(found)

    before = [tensors[name].expand(3, -1, -1) for name in ("keys", "values")]
    with_prefix = torch.cat([torch.ones(3, length, dtype=torch.bool), mask], dim=1)
    expected = attended(torch.cat([before[0], k], dim=1), torch.cat([before[1], v], dim=1), with_prefix)

    scores = by_head(q, heads) @ by_head(k, heads).mT / math.sqrt(size)
    mass = scores.masked_fill(~mask[:, None, None, :], -math.inf).logsumexp(-1).transpose(1, 2)
    reading, form = Reading(q, heads, lambda: mass), Prefix(length)
    gate, change = form.gate(tensors, reading), form.change(tensors, reading)
    torch.testing.assert_close((1 - gate) * attended(k, v, mask) + gate * change, expected, atol=1e-5, rtol=1e-5)


def test_the_gate_is_the_prefixes_share_of_the_weights() -> None:
    """Hand-worked: one head of width 1, q = 1, P_k = ln 3, k = (0, ln 2) and a masked third: λ = 3 / (3 + 1 + 2)."""
    reading = Reading(torch.ones(1, 1, 1), 1, lambda: torch.full((1, 1, 1), math.log(1 + 2)))
    tensors = {"keys": torch.tensor([[math.log(3)]]), "values": torch.tensor([[5.0]])}
    assert Prefix(1).gate(tensors, reading).item() == pytest.approx(0.5, rel=1e-6)
    assert Prefix(1).change(tensors, reading).item() == 5.0


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_in_a_model_the_heads_give_what_concatenated_keys_give(model_type: str) -> None:
    """In float64 by numpy, of the queries, keys and values that passed through a real, padded first layer."""
    base, learner = sharp_backbone(model_type), parse_learner("prefix:5:mlp=0")
    batch = batch_of(base, PAIRS)
    tensors = moved(base, learner, PAIRS.task, scale=1.0).tensors
    mask = batch["attention_mask"].numpy()
    assert not mask.all()
    added = {name: t for name, t in tensors.items() if name.startswith("added.")}
    passed: dict[str, np.ndarray] = {}
    change = change_by(base.architecture, learner.modifications, added, base.encoder, batch["attention_mask"])

    def record(site: Role, layer: int, h: Tensor, reads: Reads) -> Tensor:
        h = change(site, layer, h, reads)
        passed[site.removeprefix("attention.")] = h.double().numpy()
        return h

    next(STATES[base.architecture.model_type](base.architecture, base.encoder, batch, record))  # the first layer
    tables = [added[f"added.prefix.0.{name}"].double().numpy() for name in ("keys", "values")]
    size = base.architecture.hidden // base.architecture.heads
    for row, head in np.ndindex(len(mask), base.architecture.heads):
        part = slice(head * size, (head + 1) * size)
        words = mask[row].astype(bool)
        keys = np.concatenate([tables[0][:, part], passed["key"][row, words, part]])
        values = np.concatenate([tables[1][:, part], passed["value"][row, words, part]])
        weights = np.exp(passed["query"][row, :, part] @ keys.T / math.sqrt(size))
        expected = weights / weights.sum(1, keepdims=True) @ values
        np.testing.assert_allclose(passed["heads"][row, :, part], expected, atol=1e-5)
