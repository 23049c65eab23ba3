"""VeRA: counts of the paper, the same random matrices wherever and whenever, and the peft library as oracle."""

from __future__ import annotations

import math

import pytest
import torch

from learners.backbones.library import library_model
from learners.backbones.published import known_architecture
from learners.delta.delta import Delta
from learners.delta.initial import initial_delta
from learners.delta.layout import delta_shapes
from learners.forward.forward import pooled
from learners.methods.vera import projections
from learners.specification.family import parse_learner
from learners.training.fit import fit
from tests.loaded import batch_of, encoded, moved, new_backbone, score, sharp_backbone

DATA = encoded(classes=3, rows=32)


@pytest.mark.parametrize(
    ("backbone", "rank", "printed"), [("roberta-base", 1024, "0.043"), ("roberta-large", 256, "0.061")]
)
def test_counts_of_the_paper(backbone: str, rank: int, printed: str) -> None:
    """Kopiczko et al. 2024, Table 2: millions of parameters, heads apart; |Θ| = L_tuned (d + r), section 3.2."""
    shapes = delta_shapes(parse_learner(f"vera:{rank}"), known_architecture(backbone), 2)
    count = sum(math.prod(shape) for name, shape in shapes.items() if name.startswith("added."))
    layers, width = {"roberta-base": (12, 768), "roberta-large": (24, 1024)}[backbone]
    assert count == 2 * layers * (width + rank)
    assert f"{count / 1e6:.3f}" == printed


def test_the_random_matrices_follow_key_and_shape() -> None:
    down, up = projections(0, 4, 16, 32)
    assert (down.shape, up.shape) == ((4, 16), (32, 4))
    projections.cache_clear()
    again = projections(0, 4, 16, 32)
    assert torch.equal(down, again[0])
    assert torch.equal(up, again[1])
    assert not torch.equal(down, projections(1, 4, 16, 32)[0])
    bounds = [math.sqrt(6 / matrix.shape[1]) for matrix in (down, up)]  # Kaiming's uniform rule
    assert all(0.8 * bound < matrix.abs().max() <= bound for matrix, bound in zip((down, up), bounds, strict=True))


def test_what_was_drawn_while_predicting_can_be_trained_with() -> None:
    base, learner = new_backbone(), parse_learner("vera:8", {"epochs": 1, "batch_size": 16})
    first = initial_delta(base, learner, DATA.task, seed=0)
    projections.cache_clear()
    with torch.inference_mode():
        pooled(base, learner, first.tensors, batch_of(base, DATA))
    found = fit(base, learner, DATA, score, 0).delta
    assert not any(torch.equal(tensor, first.tensors[name]) for name, tensor in found.tensors.items() if ".b" in name)


def test_against_peft() -> None:
    """The same output and gradients from the same vectors and the same random matrices."""
    peft = pytest.importorskip("peft", reason="the oracle, peft, is not installed: pip install 'taskstream[dev]'")
    base, learner = sharp_backbone(), parse_learner("vera:8")
    delta, batch = moved(base, learner, DATA.task), batch_of(base, DATA)
    trainable = {name: tensor.clone().requires_grad_() for name, tensor in delta.tensors.items()}
    expected = pooled(base, learner, trainable, batch)
    expected.square().sum().backward()
    config = peft.VeraConfig(r=8, target_modules=["query", "value"], save_projection=True)
    model = peft.tuners.vera.VeraModel(library_model(base), config, "default")
    down, up = projections(0, 8, 16, 16)
    model.vera_A["default"].copy_(down)
    model.vera_B["default"].copy_(up)
    own = vectors(model, delta)
    found = model(**batch).pooler_output
    found.square().sum().backward()
    assert torch.allclose(found, expected, rtol=0, atol=1e-6)
    for name, parameter in own.items():
        assert trainable[name].grad is not None
        assert torch.allclose(parameter.grad, trainable[name].grad, rtol=1e-4, atol=1e-6)


def vectors(model: torch.nn.Module, delta: Delta) -> dict[str, torch.nn.Parameter]:
    """peft's parameters by our names, holding our values."""
    named = dict(model.named_parameters())
    own = {}
    for layer in range(2):
        for role in ("query", "value"):
            for letter in "db":
                name = f"added.vera.attention.{role}.{layer}.{letter}"
                own[name] = named[f"model.encoder.layer.{layer}.attention.self.{role}.vera_lambda_{letter}.default"]
                own[name].data.copy_(delta.tensors[name])
    return own
