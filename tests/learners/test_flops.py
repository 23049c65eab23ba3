"""FLOPs by formula equal PyTorch's own count of the forward and backward pass, to the unit."""

from __future__ import annotations

import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from learners.delta.initial import frozen_names, initial_delta
from learners.forward.flops import coefficients, flops_per_row
from learners.forward.frozen_layers import frozen_layers
from learners.forward.polynomial import total_flops
from learners.specification.family import families, parse_learner
from tests.counted import LENGTH, ROWS, TASK, counted
from tests.loaded import backbone
from tests.worlds import applies

LEARNERS = ("full", "topk:1", "layernorm", "adapter:8", "adapterbias:share=alpha", "head")
BACKBONES = (("bert", "cls"), ("electra", "mean"), ("deberta-v2", "cls"), ("modernbert", "mean"))
CASES = [(s, *BACKBONES[0]) for s in (*LEARNERS, "lora:2")] + [
    (s, *b) for s in ("full", "lora:2") for b in BACKBONES[1:]
]
EXAMPLES = {
    "topk:2:pooler=yes" if example == "topk:3:pooler=yes" else example  # these encoders have two layers
    for family in families().values()
    for example in family.examples
    if family.name not in ("majority", "nobert", "peft")
}
JOINED = {
    "adapter:4+lora:2:matrices=qkvo",
    "feature:2+lora:4",
    "feature:2+topk:1",
    "ia3+lora:2",
    "lora:4+bitfit:biases=layers",
    "mhpa:4+prefix:4:mlp=0",
    "parallel:4:where=attention+prefix:4:mlp=0",
    "prefix:4:mlp=0+lora:2:matrices=qk",
}
SHARED = {f"{s}:sharing=frozen-shared" for s in (
    "adapter:4", "adapterbias", "compacter:8", "ia3", "layernorm", "lora:2", "mam", "mhpa:4",
    "parallel:4:where=attention", "prefix:4", "prompt:4", "topk:1", "vera:4",
)}  # fmt: skip
ENCODERS = (
    ("bert", "cls"),
    ("roberta", "cls"),
    ("distilbert", "cls"),
    ("electra", "mean"),
    ("deberta-v2", "cls"),
    ("modernbert", "mean"),
)
EVERY = [
    (s, *encoder) for encoder in ENCODERS for s in sorted(EXAMPLES | JOINED | SHARED) if applies(s, encoder[0])
] + [(s, "bert", "mean") for s in ("full", "feature:2", "prompt:4", "bitfit")]  # an encoder without a pooler


@pytest.mark.parametrize(("specification", "model_type", "pooling"), EVERY)
def test_every_learner_on_every_architecture(specification: str, model_type: str, pooling: str) -> None:
    """Forward, backward, above the frozen layers, and on a second task that trains only what is not shared."""
    base, learner = backbone(model_type, pooling), parse_learner(specification)
    cases = {(False, frozenset[str]()), (True, frozenset[str]())}
    if learner.sharing == "frozen-shared":
        cases.add((True, frozen_names(learner, initial_delta(base, learner, TASK, seed=0))))
        assert len(cases) == 3
    prefix = {False, frozen_layers(learner, base.architecture) > 0}
    for (backward, names), above in product(cases, prefix):
        per_row = flops_per_row(base.architecture, learner, 3, backward=backward, frozen=names, above=above)
        expected = counted(base, learner, backward, frozen=names, above=above)
        assert total_flops(per_row, ROWS, LENGTH) == expected, (backward, above)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(("specification", "model_type", "pooling"), CASES)
@given(rows=st.integers(1, 5), length=st.integers(2, 40))
@settings(max_examples=2)
def test_any_batch(specification: str, model_type: str, pooling: str, backward: bool, rows: int, length: int) -> None:
    """By the counter of PyTorch itself."""
    base, learner = backbone(model_type, pooling), parse_learner(specification)
    found = total_flops(flops_per_row(base.architecture, learner, 3, backward=backward), rows, length)
    with FlopCounterMode(display=False) as counter:
        assert counted(base, learner, backward, (rows, length)) == found
    assert counter.get_total_flops() == found


@pytest.mark.parametrize("backward", [False, True])
def test_a_method_of_peft_is_counted_by_pytorch(backward: bool) -> None:
    pytest.importorskip("peft")
    base, learner = backbone(), parse_learner("peft:{peft_type=LORA,r=2,target_modules=[query,value]}")
    per_row = flops_per_row(base.architecture, learner, 3, backward=backward, load=lambda: base)
    assert total_flops(per_row, ROWS, LENGTH) == counted(base, learner, backward)
    same = parse_learner("lora:2")  # the same products
    np.testing.assert_array_equal(per_row, flops_per_row(base.architecture, same, 3, backward=backward))
    with pytest.raises(ValueError, match="on the backbone"):
        flops_per_row(base.architecture, learner, 3, backward=backward)


def test_forward_pass_by_hand() -> None:
    """2·(4 d² + 2 d ff) a token and layer, 4 d S for scores and values, pooler and head once a row, nothing else."""
    d, ffn, layers, classes = 16, 32, 2, 3
    found = flops_per_row(backbone().architecture, parse_learner("head"), classes, backward=False)
    expected = [0, 2 * d * d + 2 * d * classes, layers * 2 * (4 * d * d + 2 * d * ffn), layers * 4 * d]
    np.testing.assert_array_equal(found, expected)


def test_positions_of_deberta_by_hand() -> None:
    """P positions through W_q and W_k once a batch and layer, and 4 P d a token for scores with them."""
    d, ffn, layers, positions = 16, 32, 2, 2 * 8
    found = flops_per_row(backbone("deberta-v2").architecture, parse_learner("head"), 3, backward=False)
    tokens = layers * (2 * (4 * d * d + 2 * d * ffn) + 4 * positions * d)
    np.testing.assert_array_equal(found, [layers * 4 * positions * d * d, 2 * d * 3, tokens, layers * 4 * d])


def test_what_is_frozen_costs_less_to_train() -> None:
    base = backbone().architecture
    cost = {s: total_flops(flops_per_row(base, parse_learner(s), 2, backward=True), 8, 16) for s in LEARNERS}
    assert cost["head"] < cost["topk:1"] < cost["full"]
    # no gradient is needed below the lowest trained tensor: the first FFN for AdapterBias, the first norm for others
    assert cost["head"] < cost["adapterbias:share=alpha"] < cost["layernorm"] < cost["adapter:8"] < cost["full"]


@pytest.mark.parametrize("specification", ["majority", "nobert"])
def test_no_pass_through_the_encoder_is_free(specification: str) -> None:
    assert not flops_per_row(backbone().architecture, parse_learner(specification), 2, backward=True).any()


def test_counts_need_no_pytorch() -> None:
    program = """
import sys
from learners.backbones.published import known_architecture
from learners.forward.flops import flops_per_row
from learners.specification.family import families, parse_learner
for family in families().values():
    if family.name != "peft":
        learner = parse_learner(family.examples[0])
        found = flops_per_row(known_architecture("bert-base-uncased"), learner, 2, backward=True)
        assert family.name in ("majority", "nobert") or found[2] > 0
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_each_further_output_costs_the_same() -> None:
    base, learner = backbone().architecture, parse_learner("lora:2")
    one, each = coefficients(base, learner, backward=True)
    np.testing.assert_array_equal(flops_per_row(base, learner, 7, backward=True), one + 6 * each)
    np.testing.assert_array_equal(each, [0, 3 * 2 * 16, 0, 0])
