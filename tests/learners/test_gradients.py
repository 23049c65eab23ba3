"""Gradients reach the tensors that a learner declares, and no other: never the backbone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from learners.backbones.backbone import Backbone, changed_tensor
from learners.delta.initial import initial_delta
from learners.forward.forward import logits
from learners.specification.family import families, parse_learner
from learners.specification.learner import Learner
from tests.loaded import backbone, batch_of, encoded, moved, sharp_backbone
from tests.worlds import ARCHITECTURES

PAIRS = encoded("pairs", kind="pair")
every = pytest.mark.parametrize("model_type", ARCHITECTURES)


def gradients(base: Backbone, learner: Learner, tensors: Mapping[str, Tensor]) -> dict[str, Tensor | None]:
    trainable = {name: t.clone().requires_grad_(True) for name, t in tensors.items()}
    output = logits(base, learner, trainable, batch_of(base, PAIRS))
    weights = torch.linspace(-1, 2, output.numel()).reshape(output.shape)
    torch.autograd.backward((output * weights).sum())
    return {name: leaf.grad for name, leaf in trainable.items()}


def norm(name: str) -> bool:
    return "norm" in name.lower()


def output_norm(name: str) -> bool:
    return (".output.LayerNorm" in name and "attention" not in name) or "output_layer_norm" in name


def nothing(name: str) -> bool:
    return False


# What each learner may touch of the model, told by the names there, by rules other than those of the package. What it
# adds beside, it trains whole.
TOUCHED: Mapping[str, Callable[[str], bool]] = {
    "full": lambda n: True,
    "topk:2": lambda n: ".layer." in n,
    "topk:1": lambda n: ".layer.1." in n,
    "topk:1:pooler=yes": lambda n: ".layer.1." in n or n.startswith("pooler."),
    "layernorm": norm,
    "layernorm:embeddings=no": lambda n: norm(n) and ".layer." in n,
    "adapter:8": norm,
    "adapter:8:norms=no:depth=3:inner_norm=bottleneck": nothing,
    "adapterbias": output_norm,
    "adapterbias:share=both:embedding_norm=yes": lambda n: output_norm(n) or n.startswith("embeddings.L"),
    "bitfit": lambda n: n.endswith(".bias"),
    "bitfit:biases=layers": lambda n: n.endswith(".bias") and ".layer." in n,
    "bitfit:biases=q-m2": lambda n: n.endswith(("query.bias", "q_lin.bias", "intermediate.dense.bias", "lin1.bias")),
    "compacter:8": nothing,
    "compacter:8:norms=yes:plus=yes": norm,
    "diffpruning:0.1": lambda n: True,
    "feature:2": nothing,
    "ia3": nothing,
    "lora:2": nothing,
    "lora:2:matrices=qkvo": nothing,
    "lora-ffn:2": nothing,
    "mam:prefix=4:parallel=8": nothing,
    "mhpa:4": nothing,
    "parallel:8": nothing,
    "parallel:8:where=attention": nothing,
    "peft:{peft_type=LORA,r=4,target_modules=[query,value,q_lin,v_lin]}": nothing,
    "avalanche:ewc": lambda n: True,
    "pfeiffer:8": nothing,
    "pfeiffer:8:wiring=code": nothing,
    "prefix:4": nothing,
    "prompt:4": nothing,
    "prefix:4+layernorm:embeddings=no": lambda n: norm(n) and ".layer." in n,
    "vera:16": nothing,
    "head": nothing,
}


@every
@pytest.mark.parametrize("specification", TOUCHED)
def test_gradients_reach_the_declared_tensors_and_no_other(model_type: str, specification: str) -> None:
    base, learner = backbone(model_type), parse_learner(specification)
    found = gradients(base, learner, moved(base, learner, PAIRS.task).tensors)
    tuned = {name.split(".", 1)[1] for name in found if name.startswith(("backbone.", "difference."))}
    assert tuned == {name for name in base.weights if TOUCHED[specification](name)}
    without = {name for name, gradient in found.items() if gradient is None or not gradient.any()}
    assert not {name for name in without if not name.endswith(("key.bias", "k_lin.bias"))}
    for name, weight in base.encoder.items():
        assert not weight.requires_grad, name
        assert weight.grad is None, name
    assert changed_tensor(base) is None


def test_the_rules_cover_every_family_that_trains() -> None:
    assert {s.split(":")[0] for s in TOUCHED} == families().keys() - {"majority", "nobert"}


@pytest.mark.parametrize("specification", ["full", "bitfit"])
def test_key_biases_never_learn(specification: str) -> None:
    """q·b_k is one number for all keys, which the softmax removes."""
    base, learner = sharp_backbone(), parse_learner(specification)
    found = gradients(base, learner, moved(base, learner, PAIRS.task).tensors)
    for layer in range(2):
        key, query = (found[f"backbone.encoder.layer.{layer}.attention.self.{n}.bias"] for n in ("key", "query"))
        assert key is not None
        assert query is not None
        assert key.abs().max() < 1e-5 * query.abs().max() + 1e-7


# ---- at the start


def first_gradients(base: Backbone, specification: str) -> dict[str, Tensor | None]:
    learner = parse_learner(specification)
    return gradients(base, learner, initial_delta(base, learner, PAIRS.task, seed=0).tensors)


def reached(found: Mapping[str, Tensor | None], floor: float = 0.0) -> set[str]:
    """What is added and receives a gradient above `floor`."""
    added = {name: gradient for name, gradient in found.items() if name.startswith("added.")}
    return {name for name, gradient in added.items() if gradient is not None and gradient.abs().max() > floor}


@every
@pytest.mark.parametrize("specification", [s for s in TOUCHED if "norms" not in s])
def test_no_learner_starts_at_a_dead_point(model_type: str, specification: str) -> None:
    """In every layer something that it adds receives a gradient at once."""
    found = first_gradients(sharp_backbone(model_type), specification)
    added = {name for name in found if name.startswith("added.")}
    alive, layer = reached(found), re.compile(r"^added\..*?\.(\d+|shared)\.")
    owners = {match[0] for name in added if (match := layer.match(name))}
    assert bool(alive) == bool(added)
    for owner in owners - {"added.adapterbias.shared.", "added.compacter.shared."}:
        assert any(name.startswith(owner) for name in alive), owner


@pytest.mark.parametrize(
    ("specification", "last"),
    [
        ("lora:2:matrices=qkvo", ("B",)),
        ("lora-ffn:2", ("B",)),
        ("vera:16", (".b",)),
        ("parallel:8:scale=4", ("up.weight", "up.bias")),
    ],
)
def test_beside_a_zero_only_the_zero_learns_at_first(specification: str, last: tuple[str, ...]) -> None:
    """Of a product whose second factor is 0 the first one has no gradient, exactly."""
    found = first_gradients(sharp_backbone(), specification)
    added = {name for name in found if name.startswith("added.")}
    assert reached(found) == {name for name in added if name.endswith(last)}


@every
@pytest.mark.parametrize("vector", ["zeros", "ones"])
def test_the_first_gradient_of_adapterbias_reaches_the_vector_alone(model_type: str, vector: str) -> None:
    base = backbone(model_type)
    found = first_gradients(base, f"adapterbias:vector={vector}")
    for layer in range(2):
        v, w, c = (found[f"added.adapterbias.{layer}.{n}"] for n in ("vector", "alpha.weight", "alpha.bias"))
        assert v is not None
        assert w is not None
        assert c is not None
        assert v.abs().max() > 1e-6
        rounding = 0.0 if vector == "zeros" else 1e-6  # ones: the norm removes it, up to rounding
        assert max(w.abs().max(), c.abs().max()) <= rounding


def test_zero_alpha_and_constant_vector_is_a_dead_point() -> None:
    """Why std = 0 is refused: no gradient would reach either factor."""
    base = backbone()
    for vector in ("zeros", "ones"):
        learner = parse_learner(f"adapterbias:vector={vector}")
        tensors = dict(initial_delta(base, learner, PAIRS.task, seed=0).tensors)
        tensors |= {n: torch.zeros_like(t) for n, t in tensors.items() if "alpha.weight" in n}
        found = gradients(base, learner, tensors)
        assert not reached(found, floor=1e-6)
