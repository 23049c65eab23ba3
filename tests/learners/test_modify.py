"""The modified forward pass: identity at the start, the published wiring, gradients where they belong alone."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from learners.backbone import Backbone, changed_tensor
from learners.family import families, parse_learner
from learners.initial import initial_delta
from learners.learner import Learner
from learners.modify import logits, modified, pooled
from tests.loaded import backbone, batch_of, encoded, moved
from tests.worlds import ARCHITECTURES

PAIRS = encoded("pairs", kind="pair")
every = pytest.mark.parametrize("model_type", ARCHITECTURES)
both_poolings = pytest.mark.parametrize("pooling", ["cls", "mean"])
EXAMPLES = [s for family in families().values() for s in family.examples if s != "majority"]


def start(base: Backbone, specification: str) -> tuple[Learner, dict[str, Tensor]]:
    learner = parse_learner(specification)
    return learner, dict(initial_delta(base, learner, PAIRS.task, seed=0).tensors)


def untouched(base: Backbone, batch: Mapping[str, Tensor]) -> Tensor:
    """Pooled output of the library's own model."""
    output = base.model(**batch)
    if base.pooling == "mean":
        rows = [h[m.bool()].mean(0) for h, m in zip(output.last_hidden_state, batch["attention_mask"], strict=True)]
        return torch.stack(rows)
    pooler = getattr(output, "pooler_output", None)
    return output.last_hidden_state[:, 0] if pooler is None else pooler


# ---- identity at the start


@every
@both_poolings
@pytest.mark.parametrize("specification", [s for s in EXAMPLES if not s.startswith("adapter:")])
def test_the_start_is_the_backbone_bit_for_bit(model_type: str, pooling: str, specification: str) -> None:
    """Copies of the weights, and AdapterBias with v = 0, change nothing; the mean is a sum in another order."""
    base = backbone(model_type, pooling)
    if specification == "topk:3:pooler=yes":
        specification = "topk:2:pooler=yes"  # two layers here
    learner, tensors = start(base, specification)
    batch = batch_of(base, PAIRS)
    found, expected = pooled(base, learner, tensors, batch), untouched(base, batch)
    if pooling == "cls":
        assert torch.equal(found, expected)
    else:
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


@every
@both_poolings
def test_adapters_start_near_the_identity(model_type: str, pooling: str) -> None:
    base = backbone(model_type, pooling)
    batch = batch_of(base, PAIRS)
    expected = untouched(base, batch)
    distances = []
    for std in ("1e-7", "1e-3", "1e-2"):
        learner, tensors = start(base, f"adapter:8:std={std}")
        distances.append((pooled(base, learner, tensors, batch) - expected).abs().max().item())
    assert distances[0] < 1e-5
    assert distances[1] < 1e-3
    assert distances[2] < 3e-2


@every
def test_an_adapter_without_up_projection_is_the_identity_bit_for_bit(model_type: str) -> None:
    base = backbone(model_type)
    batch = batch_of(base, PAIRS)
    learner, tensors = start(base, "adapter:8:std=1")
    tensors |= {name: torch.zeros_like(t) for name, t in tensors.items() if name.endswith("up.weight")}
    assert torch.equal(pooled(base, learner, tensors, batch), untouched(base, batch))


@every
@both_poolings
def test_a_vector_of_ones_changes_nothing_before_a_norm(model_type: str, pooling: str) -> None:
    base = backbone(model_type, pooling)
    batch = batch_of(base, PAIRS)
    learner, tensors = start(base, "adapterbias:vector=ones:std=0.5")
    torch.testing.assert_close(pooled(base, learner, tensors, batch), untouched(base, batch), atol=1e-5, rtol=1e-5)
    tensors["added.adapterbias.0.vector"][0] = 2.0
    assert not torch.allclose(pooled(base, learner, tensors, batch), untouched(base, batch), atol=1e-4)


# ---- the published wiring, against a BERT written out here


def written_out(base: Backbone, tensors: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> Tensor:
    """BERT (Devlin et al. 2019), Houlsby adapters after both projections, AdapterBias between the FFN matrices."""
    a = base.architecture
    w = dict(base.weights) | {k.removeprefix("backbone."): v for k, v in tensors.items() if k.startswith("backbone.")}

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x: Tensor, name: str) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        deviation = (centred.square().mean(-1, keepdim=True) + a.layer_norm_eps).sqrt()
        return centred / deviation * w[f"{name}.weight"] + w[f"{name}.bias"]

    def gelu(x: Tensor) -> Tensor:
        return x / 2 * (1 + torch.erf(x / math.sqrt(2)))

    def adapter(x: Tensor, place: str) -> Tensor:
        key = f"added.adapter.{place}"
        if f"{key}.up.weight" not in tensors:
            return x
        m = gelu(x @ tensors[f"{key}.down.weight"].T + tensors[f"{key}.down.bias"])
        return x + m @ tensors[f"{key}.up.weight"].T + tensors[f"{key}.up.bias"]

    def shift(u: Tensor, layer: int) -> Tensor | float:
        def own(name: str) -> Tensor | None:
            return next(
                (tensors[k] for i in (layer, "shared") if (k := f"added.adapterbias.{i}.{name}") in tensors), None
            )

        v, weight, bias = own("vector"), own("alpha.weight"), own("alpha.bias")
        if v is None or weight is None or bias is None:
            return 0.0
        return ((u * weight[0]).sum(-1, keepdim=True) + bias) * v

    ids, mask = batch["input_ids"], batch["attention_mask"]
    (rows, length), size = ids.shape, a.hidden // a.heads
    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:length]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][batch["token_type_ids"]], "embeddings.LayerNorm")
    for layer in range(a.layers):
        name = f"encoder.layer.{layer}"
        heads = [
            linear(x, f"{name}.attention.self.{part}").view(rows, length, a.heads, size).transpose(1, 2)
            for part in ("query", "key", "value")
        ]
        scores = heads[0] @ heads[1].mT / math.sqrt(size)
        weights = scores.masked_fill(mask[:, None, None, :] == 0, -math.inf).softmax(-1)
        attended = linear((weights @ heads[2]).transpose(1, 2).reshape(x.shape), f"{name}.attention.output.dense")
        y = norm(x + adapter(attended, f"attention.{layer}"), f"{name}.attention.output.LayerNorm")
        u = gelu(linear(y, f"{name}.intermediate.dense"))
        x = norm(
            y + adapter(linear(u, f"{name}.output.dense"), f"ffn.{layer}") + shift(u, layer), f"{name}.output.LayerNorm"
        )
    if base.pooling == "mean":
        return (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return torch.tanh(linear(x[:, 0], "pooler.dense"))


@both_poolings
@pytest.mark.parametrize("specification", [s.replace("topk:3", "topk:2") for s in EXAMPLES])
def test_wiring(specification: str, pooling: str) -> None:
    base = backbone("bert", pooling)
    learner, batch = parse_learner(specification), batch_of(base, PAIRS)
    tensors = moved(base, learner, PAIRS.task).tensors
    found = pooled(base, learner, tensors, batch)
    torch.testing.assert_close(found, written_out(base, tensors, batch), atol=2e-5, rtol=2e-5)
    if specification != "head":
        assert (found - untouched(base, batch)).abs().max() > 0.01, "the learner changes something"


@pytest.mark.parametrize("share", ["none", "v", "alpha", "both"])
def test_adapterbias_merges_into_the_second_ffn_matrix(share: str) -> None:
    """(W₂ + v wᵀ) u + (b₂ + c v): AdapterBias costs no time once merged."""
    base = backbone()
    learner, batch = parse_learner(f"adapterbias:share={share}"), batch_of(base, PAIRS)
    tensors = moved(base, learner, PAIRS.task).tensors
    (shift,) = learner.modifications
    merged = {k: v for k, v in tensors.items() if not k.startswith("added.")}
    for layer in range(base.architecture.layers):
        v, w, c = (tensors[shift.key(layer, name)] for name in ("vector", "alpha.weight", "alpha.bias"))
        name = f"encoder.layer.{layer}.output.dense"
        merged[f"backbone.{name}.weight"] = base.weights[f"{name}.weight"] + torch.outer(v, w[0])
        merged[f"backbone.{name}.bias"] = base.weights[f"{name}.bias"] + c * v
    plain = parse_learner("full")
    expected = pooled(base, learner, tensors, batch)
    torch.testing.assert_close(pooled(base, plain, merged, batch), expected, atol=1e-5, rtol=1e-5)


def test_shared_tensors_act_in_every_layer() -> None:
    base, batch = backbone(), batch_of(backbone(), PAIRS)
    shared, own = parse_learner("adapterbias:share=both"), parse_learner("adapterbias")
    tensors = moved(base, shared, PAIRS.task).tensors
    copied = {k: t for k, t in tensors.items() if ".shared." not in k} | {
        own.modifications[0].key(layer, name): tensors[f"added.adapterbias.shared.{name}"]
        for layer in range(2)
        for name in ("vector", "alpha.weight", "alpha.bias")
    }
    assert torch.equal(pooled(base, shared, tensors, batch), pooled(base, own, copied, batch))


# ---- gradients


def gradients(base: Backbone, learner: Learner, tensors: Mapping[str, Tensor]) -> dict[str, Tensor | None]:
    leaves = {name: t.clone().requires_grad_(True) for name, t in tensors.items()}
    output = logits(base, learner, leaves, batch_of(base, PAIRS))
    weights = torch.linspace(-1, 2, output.numel()).reshape(output.shape)
    torch.autograd.backward((output * weights).sum())
    return {name: leaf.grad for name, leaf in leaves.items()}


# what each example may touch, told by the names in the model, by rules other than those of the package
TOUCHED = {
    "full": lambda n: True,
    "topk:2": lambda n: ".layer." in n,
    "topk:1": lambda n: ".layer.1." in n,
    "topk:1:pooler=yes": lambda n: ".layer.1." in n or n.startswith("pooler."),
    "layernorm": lambda n: "norm" in n.lower(),
    "layernorm:embeddings=no": lambda n: "norm" in n.lower() and ".layer." in n,
    "adapter:8": lambda n: "norm" in n.lower(),
    "adapter:8:norms=no": lambda n: False,
    "adapterbias": lambda n: (".output.LayerNorm" in n and "attention" not in n) or "output_layer_norm" in n,
    "adapterbias:share=both:embedding_norm=yes": lambda n: (
        (".output.LayerNorm" in n and "attention" not in n) or "output_layer_norm" in n or n.startswith("embeddings.L")
    ),
    "head": lambda n: False,
}


@every
@pytest.mark.parametrize("specification", TOUCHED)
def test_gradients_reach_the_declared_tensors_and_no_other(model_type: str, specification: str) -> None:
    base, learner = backbone(model_type), parse_learner(specification)
    found = gradients(base, learner, moved(base, learner, PAIRS.task).tensors)
    tuned = {name.removeprefix("backbone.") for name in found if name.startswith("backbone.")}
    assert tuned == {name for name, _ in base.model.named_parameters() if TOUCHED[specification](name)}
    without = {name for name, gradient in found.items() if gradient is None or not gradient.any()}
    assert not {name for name in without if not name.endswith(("key.bias", "k_lin.bias"))}
    for name, parameter in base.model.named_parameters():
        assert not parameter.requires_grad, name
        assert parameter.grad is None, name
    assert changed_tensor(base) is None


def test_the_rules_cover_every_family_that_trains() -> None:
    assert {s.split(":")[0] for s in TOUCHED} == {name for name in families() if name != "majority"}


def test_key_biases_never_learn() -> None:
    """q·b_k is one number for all keys, which the softmax removes."""
    found = gradients(backbone(), parse_learner("full"), moved(backbone(), parse_learner("full"), PAIRS.task).tensors)
    for layer in range(2):
        key, query = (found[f"backbone.encoder.layer.{layer}.attention.self.{n}.bias"] for n in ("key", "query"))
        assert key is not None
        assert query is not None
        assert key.abs().max() < 1e-5 * query.abs().max() + 1e-7


@every
@pytest.mark.parametrize("vector", ["zeros", "ones"])
def test_the_first_gradient_of_adapterbias_reaches_the_vector_alone(model_type: str, vector: str) -> None:
    base = backbone(model_type)
    learner, tensors = start(base, f"adapterbias:vector={vector}")
    found = gradients(base, learner, tensors)
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
        learner, tensors = start(base, f"adapterbias:vector={vector}")
        tensors |= {n: torch.zeros_like(t) for n, t in tensors.items() if "alpha.weight" in n}
        found = gradients(base, learner, tensors)
        reached = [found[n] for n in found if n.startswith("added.")]
        assert all(gradient is not None and gradient.abs().max() <= 1e-6 for gradient in reached)


# ---- hooks and types


def hooks(base: Backbone) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in base.model.modules())


@pytest.mark.parametrize("specification", ["adapter:8", "adapterbias"])
def test_hooks_live_for_one_call_even_if_it_fails(specification: str) -> None:
    base, learner = backbone(), parse_learner(specification)
    tensors = dict(moved(base, learner, PAIRS.task).tensors)
    added = {name: t for name, t in tensors.items() if name.startswith("added.")}
    before = hooks(base)
    with modified(base, learner.modifications, added):
        assert hooks(base) > before
    assert hooks(base) == before
    broken = tensors | {name: torch.zeros(3, 3, 3) for name in added}
    with pytest.raises(RuntimeError):
        pooled(base, learner, broken, batch_of(base, PAIRS))
    missing = {name: t for name, t in tensors.items() if ".1." not in name}
    with pytest.raises(KeyError):
        pooled(base, learner, missing, batch_of(base, PAIRS))
    assert hooks(base) == before


@pytest.mark.parametrize("specification", ["full", "layernorm", "adapter:8", "adapterbias", "head"])
def test_bfloat16_forward_trains_float32_weights(specification: str) -> None:
    half, learner = backbone("bert", "cls", "bfloat16"), parse_learner(specification)
    batch = batch_of(half, PAIRS)
    tensors = moved(backbone(), learner, PAIRS.task, scale=0.05).tensors
    assert pooled(half, learner, tensors, batch).dtype == torch.bfloat16
    found, expected = (logits(base, learner, tensors, batch) for base in (half, backbone()))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=0.1, rtol=0.05)
    for gradient in gradients(half, learner, tensors).values():
        assert gradient is not None
        assert gradient.dtype == torch.float32


def test_majority_answers_its_bias() -> None:
    bias = torch.tensor([0.25, -1.0, 3.0])
    output = logits(backbone(), parse_learner("majority"), {"head.bias": bias}, batch_of(backbone(), PAIRS, 5))
    assert torch.equal(output, bias.repeat(5, 1))
