"""FLOPs by formula equal PyTorch's own count of the forward and backward pass, to the unit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from learners.backbones.backbone import Backbone
from learners.delta.initial import frozen_names, initial_delta
from learners.forms import (
    Bottleneck,
    Form,
    Gated,
    Headwise,
    Hypercomplex,
    LowRank,
    Prefix,
    Products,
    Reading,
    Rescale,
    Scaled,
    Symbol,
    SymbolicReading,
    TokenShift,
    UngatedPrefix,
    change_products,
    gate_products,
)
from learners.forms.counter import PytorchCounter
from learners.forms.counting import has_formula, pytorch_count
from learners.forward.flops import coefficients, flops_per_row
from learners.forward.forward import logits
from learners.forward.frozen_prefix import frozen_states
from learners.forward.layer_range import frozen_layers
from learners.forward.polynomial import total_flops
from learners.methods.vera import ScaledRandom
from learners.specification.family import families, parse_learner
from learners.specification.learner import Learner, Training
from learners.specification.modification import Modification
from tests.loaded import backbone, encoded
from tests.worlds import applies

TASK = encoded("colours", classes=3).task
LEARNERS = ("full", "topk:1", "layernorm", "adapter:8", "adapterbias:share=alpha", "head")
BACKBONES = (("bert", "cls"), ("electra", "mean"), ("deberta-v2", "cls"), ("modernbert", "mean"))
CASES = [(s, *BACKBONES[0]) for s in (*LEARNERS, "lora:2")] + [
    (s, *b) for s in ("full", "lora:2") for b in BACKBONES[1:]
]
EXAMPLES = {
    "topk:2:pooler=yes" if example == "topk:3:pooler=yes" else example  # these encoders have two layers
    for family in families().values()
    for example in family.examples
    if example != "majority" and family.name != "peft"
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
ROWS, LENGTH = 3, 7


def counted(
    base: Backbone,
    learner: Learner,
    backward: bool,
    shape: tuple[int, int] = (ROWS, LENGTH),
    frozen: frozenset[str] = frozenset(),
    above: bool = False,
) -> int:
    """FLOPs of a batch by PyTorch's formulas."""
    delta = initial_delta(base, learner, TASK, seed=0)
    leaves = {n: t.clone().requires_grad_(backward and n not in frozen) for n, t in delta.tensors.items()}
    ids = torch.randint(5, 20, shape)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    states = frozen_states(base, learner, batch) if above else None
    with torch.set_grad_enabled(backward), PytorchCounter() as counter:
        output = logits(base, learner, leaves, batch, frozen_prefix=states)
        if backward:
            torch.autograd.backward(output.sum())
    return int(counter.found)


def unneeded(base: Backbone, learner: Learner, above: bool) -> int:
    """FLOPs of products whose results the modules of transformers compute and nothing uses.

    The pooler, if a prompt comes first or the head reads several layers; and ELECTRA's projection of the embeddings, if
    the first layers do not run.
    """
    a, first = base.architecture, frozen_layers(learner, base.architecture) if above else 0
    if first == a.layers:
        return 0
    pooler = 2 * ROWS * a.hidden**2 if a.pooler and (learner.prompt or learner.layers_read > 1) else 0
    return pooler + (2 * ROWS * LENGTH * a.hidden * a.embedding if first and a.embedding != a.hidden else 0)


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
        assert total_flops(per_row, ROWS, LENGTH) == expected - unneeded(base, learner, above), (backward, above)


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


def test_counting_draws_nothing_and_majority_is_free() -> None:
    before = torch.get_rng_state()
    flops_per_row(backbone().architecture, own_learner(Cubic()), 2, backward=True)
    assert torch.equal(before, torch.get_rng_state())
    assert not flops_per_row(backbone().architecture, parse_learner("majority"), 2, backward=True).any()


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
        assert family.name == "majority" or found[2] > 0
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


# ---- functional forms

FORMS: tuple[Form, ...] = (
    Bottleneck(3),
    Bottleneck(3, depth=4, norm="input"),
    Bottleneck(3, depth=3, norm="bottleneck"),
    Headwise(3),
    Hypercomplex(4, terms=1),
    Hypercomplex(4, terms=2),
    LowRank(3),
    UngatedPrefix(3),
    Prefix(3),
    Rescale(),
    Scaled(LowRank(3)),
    TokenShift(),
    ScaledRandom(3),
)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.formula)
@pytest.mark.parametrize("x_learns", [False, True])
def test_a_form_needs_products_for_what_learns(form: Form, x_learns: bool) -> None:
    """Whichever of its tensors are trained: nothing, everything, each alone, all but each."""
    reads, writes, heads = 8, 8, 2
    shapes = form.shapes(reads, writes)
    alone = [tuple(i == j for j in range(len(shapes))) for i in range(-1, len(shapes))]
    for learns in {*alone, *(tuple(not own for own in each) for each in alone)}:
        tensors = {name: Symbol(shape, own) for (name, shape), own in zip(shapes.items(), learns, strict=True)}
        reading = SymbolicReading(Symbol((2, 5, reads), x_learns), heads, partial(Symbol, (2, 5, heads), x_learns))
        pairs: list[tuple[Any, Any]] = [(form.change, partial(change_products, form))]
        pairs += [(form.gate, partial(gate_products, form))] if isinstance(form, Gated) else []
        for method, formula in pairs:
            by_pytorch, by_formula = Products(), Products()
            expected = pytorch_count(method, tensors, reading, by_pytorch)
            assert formula(tensors, reading, by_formula) == expected
            assert by_formula.flops == by_pytorch.flops


def test_our_forms_have_formulas() -> None:
    learners = [parse_learner(example) for example in EXAMPLES]
    forms = {modification.form for learner in learners for modification in learner.modifications}
    assert len({type(form) for form in forms}) >= 9
    assert all(has_formula(form, "change") for form in forms)
    assert all(has_formula(form, "gate") for form in forms if isinstance(form, Gated))


@dataclass(frozen=True)
class Cubic(LowRank):
    """A form as in a plug-in: with three products, two of them its own, and without a formula."""

    rank: int = 3

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        x = reading.x.relu_()  # it may write into its input
        return torch.nn.functional.linear(x @ tensors["A"].T @ tensors["A"] @ tensors["A"].T, tensors["B"])


@dataclass(frozen=True)
class Attending(Cubic):
    """It also has a gate with two products, one of them that of the mass of attention."""

    def gate(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        assert reading.log_mass is not None
        share = (reading.x @ tensors["A"].T).sum(-1, keepdim=True) - reading.log_mass()
        return torch.sigmoid(share.sum(-1, keepdim=True)).expand_as(reading.x)


def own_learner(form: Form) -> Learner:
    changes = (Modification("own", form, "attention.heads", "attention.query"),)
    return Learner("own", "own", Training(1e-3), modifications=changes)


@pytest.mark.parametrize("form", [Cubic(), Attending(), Scaled(Cubic())], ids=lambda form: type(form).__name__)
@pytest.mark.parametrize("backward", [False, True])
def test_a_form_without_a_formula_is_counted_by_pytorch(form: Form, backward: bool) -> None:
    assert isinstance(form, Scaled) or not has_formula(form, "change")  # that of its base counts other products
    base, learner = backbone(), own_learner(form)
    found = flops_per_row(base.architecture, learner, 3, backward=backward)
    assert total_flops(found, ROWS, LENGTH) == counted(base, learner, backward)


def test_each_further_output_costs_the_same() -> None:
    base, learner = backbone().architecture, parse_learner("lora:2")
    one, each = coefficients(base, learner, backward=True)
    np.testing.assert_array_equal(flops_per_row(base, learner, 7, backward=True), one + 6 * each)
    np.testing.assert_array_equal(each, [0, 3 * 2 * 16, 0, 0])
