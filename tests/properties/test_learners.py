"""Parameter counts of learners on random encoders equal the closed formulas, and grow as the account says."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learners.backbones.architecture import BERT_TYPES, POOLED_TYPES, Architecture, parameter_shapes, parameters
from learners.delta.layout import delta_shapes
from learners.specification.family import parse_learner
from stream.results.growth import growth, task_cost


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    model_type = draw(st.sampled_from(BERT_TYPES))
    heads = draw(st.integers(1, 4))
    hidden = heads * draw(st.integers(1, 300))
    return Architecture(
        model_type=model_type,
        hidden=hidden,
        layers=draw(st.integers(1, 9)),
        ffn=draw(st.integers(1, 5000)),
        heads=heads,
        vocabulary=draw(st.integers(2, 60_000)),
        positions=draw(st.integers(3, 600)),
        types=0 if model_type == "distilbert" else draw(st.integers(1, 3)),
        embedding=draw(st.integers(1, 300)) if model_type == "electra" else hidden,
        pooler=model_type in POOLED_TYPES and draw(st.booleans()),
        activation="gelu",
        layer_norm_eps=1e-12,
        hidden_dropout=0.1,
        attention_dropout=0.1,
        pad_id=0,
    )


classes = st.integers(1, 200)
anything = st.one_of(
    st.sampled_from(["full", "full:sequential", "layernorm", "layernorm:embeddings=no", "head", "topk:1"]),
    st.builds("adapter:{}:norms={}".format, st.integers(2, 256), st.sampled_from(["yes", "no"])),
    st.builds("adapterbias:share={}".format, st.sampled_from(["none", "v", "alpha", "both"])),
)


def count(specification: str, a: Architecture, c: int) -> int:
    """Parameters without the head, which is C(d + 1) always."""
    cost = task_cost(parse_learner(specification), a, c)
    assert cost.head == c * (a.hidden + 1)
    return cost.without_head


@given(architectures(), classes, st.integers(2, 256))
def test_adapters(a: Architecture, c: int, m: int) -> None:
    d, depth = a.hidden, a.layers
    adapters = 2 * depth * (2 * m * d + d + m)
    assert count(f"adapter:{m}:norms=no", a, c) == adapters
    assert count(f"adapter:{m}", a, c) == adapters + 4 * depth * d + 2 * a.embedding


@given(architectures(), classes)
def test_adapterbias(a: Architecture, c: int) -> None:
    d, depth, ff = a.hidden, a.layers, a.ffn
    assert count("adapterbias", a, c) == depth * (d + ff + 1 + 2 * d)
    assert count("adapterbias:share=v", a, c) == depth * (ff + 1 + 2 * d) + d
    assert count("adapterbias:share=alpha", a, c) == 3 * depth * d + ff + 1
    assert count("adapterbias:share=both", a, c) == 2 * depth * d + d + ff + 1
    assert count("adapterbias:embedding_norm=yes", a, c) == depth * (3 * d + ff + 1) + 2 * a.embedding
    assert count("adapterbias:l0:share=alpha", a, c) == count("adapterbias:share=alpha", a, c)


@given(architectures(), classes)
def test_norms(a: Architecture, c: int) -> None:
    assert count("layernorm:embeddings=no", a, c) == 4 * a.layers * a.hidden
    assert count("layernorm", a, c) == 4 * a.layers * a.hidden + 2 * a.embedding


@given(architectures(), classes, st.data())
def test_copies(a: Architecture, c: int, data: st.DataObject) -> None:
    d, ff, k = a.hidden, a.ffn, data.draw(st.integers(1, a.layers))
    layer = 4 * (d * d + d) + 2 * 2 * d + (d * ff + ff) + (ff * d + d)
    assert count(f"topk:{k}", a, c) == k * layer
    assert count(f"topk:{k}:pooler=yes", a, c) == k * layer + a.pooler * (d * d + d)
    assert count("full", a, c) == parameters(a)
    assert count("head", a, c) == 0


@given(architectures(), classes, anything)
def test_tuned_tensors_are_the_backbones_own_and_added_ones_are_not(
    a: Architecture, c: int, specification: str
) -> None:
    every = parameter_shapes(a)
    shapes = delta_shapes(parse_learner(specification), a, c)
    for name, shape in shapes.items():
        part, rest = name.split(".", 1)
        assert part in ("backbone", "added", "head")
        assert (rest in every and every[rest] == shape) == (part == "backbone")
        assert prod(shape) > 0


@given(architectures(), st.lists(classes, min_size=1, max_size=30), anything)
def test_growth(a: Architecture, outputs: list[int], specification: str) -> None:
    learner, total = parse_learner(specification), parameters(a)
    costs = [task_cost(learner, a, c) for c in outputs]
    without, including = (growth(learner, total, costs, heads=heads) for heads in (False, True))
    p, n = costs[0].without_head / total, len(outputs)
    expected = {"full": n, "full:sequential": 1}.get(specification, 1 + n * p)
    assert without[-1] == pytest.approx(expected, rel=1e-12)
    heads = sum(c * (a.hidden + 1) for c in outputs)
    assert including[-1] - without[-1] == pytest.approx(heads / total, rel=1e-9)
    assert list(including) == sorted(including)
    assert len(without) == n
