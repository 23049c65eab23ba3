"""LoRA, IA3, prompt and prefix tuning against the peft library: same weights, same outputs, same gradients.

Both compute in float64: the matrices of a sharp backbone amplify the rounding of float32 to 1e-5 of an output.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from learners.backbones.backbone import Backbone
from learners.backbones.fused import fused
from learners.backbones.library import library_model
from learners.forward.forward import pooled
from learners.specification.family import parse_learner
from tests.loaded import batch_of, encoded, moved, sharp_backbone

peft = pytest.importorskip("peft", reason="the oracle, peft, is not installed: pip install 'taskstream[dev]'")

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")  # peft asks for it
DATA = encoded("pairs", kind="pair")
PATHS = {
    "query": "attention.query",
    "key": "attention.key",
    "value": "attention.value",
    "attention.output.dense": "attention.wo",
    "intermediate.dense": "ffn.w1",
    "output.dense": "ffn.w2",
}


def place(name: str) -> tuple[int, str]:
    """Layer, and role of the module, of a name in a model."""
    match = re.search(r"layer\.(\d+)\.(?:attention\.self\.)?(.+?)\.(?:lora|ia3)_", name)
    assert match is not None, name
    return int(match[1]), PATHS[match[2]]


@cache
def exact_backbone(pooling: str) -> Backbone:
    """A sharp BERT in float64."""
    base = sharp_backbone("bert", pooling)
    weights, whole = fused(base.architecture, {name: weight.double() for name, weight in base.weights.items()})
    return replace(base, weights=weights, computed=weights, fused=whole, dtype=torch.float64)


def added_to(base: Backbone, kind: str, **settings: Any) -> Any:
    """peft's model of the library's modules."""
    return peft.get_peft_model(library_model(base), getattr(peft, kind)(**settings)).double()


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def pool(base: Backbone, hidden: Tensor, mask: Tensor) -> Tensor:
    """What a head reads of the states of the words, [B, d]."""
    if base.pooling == "cls":
        return library_model(base).pooler(hidden)
    return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


def gradients(output: Tensor, trainable: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of a sum that weighs every output differently."""
    weights = torch.linspace(-1, 2, output.numel()).reshape(output.shape)
    found = torch.autograd.grad((output * weights).sum(), list(trainable.values()))
    return dict(zip(trainable, found, strict=True))


def compare(
    base: Backbone,
    specification: str,
    model: Any,
    ours_by_theirs: Callable[[str, Tensor], dict[str, Tensor]],
    forward: Callable[[dict[str, Tensor]], Tensor],
    batch: dict[str, Tensor],
) -> None:
    """Outputs and gradients of both, the weights of ours copied from peft's.

    Args:
        ours_by_theirs: Name and value of one of peft's parameters (or its gradient) -> the same as ours.
        forward: peft's states of the words, [B, S, d].
    """
    noise = torch.Generator().manual_seed(0)
    theirs = trained(model)
    with torch.no_grad():
        for parameter in theirs.values():
            parameter.copy_(0.4 * torch.randn(parameter.shape, generator=noise))
    learner = parse_learner(specification)
    tensors = dict(moved(base, learner, DATA.task).tensors)
    added = {name for name in tensors if name.startswith("added.")}
    copied = {k: v for name, p in theirs.items() for k, v in ours_by_theirs(name, p.detach()).items()}
    assert {name: t.shape for name, t in copied.items()} == {name: tensors[name].shape for name in added}
    trainable = {name: t.clone().requires_grad_(True) for name, t in copied.items()}
    found = pooled(base, learner, tensors | trainable, batch)
    expected = pool(base, forward(batch), batch["attention_mask"])
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-9)
    assert (found - pooled(base, parse_learner("head"), tensors, batch)).abs().max() > 0.05, "it changes something"
    slopes = gradients(expected, theirs)
    wanted = {k: v for name, slope in slopes.items() for k, v in ours_by_theirs(name, slope).items()}
    for name, slope in gradients(found, trainable).items():
        torch.testing.assert_close(slope, wanted[name], atol=1e-8, rtol=1e-8, msg=lambda text, n=name: f"{n}: {text}")


both = pytest.mark.parametrize("pooling", ["cls", "mean"])


@both
@pytest.mark.parametrize(
    ("specification", "modules"),
    [
        ("lora:3:alpha=5", ["query", "value"]),
        ("lora:2:matrices=qkvo", r".*attention\.(self\.(query|key|value)|output\.dense)"),
        ("lora-ffn:4:alpha=2", r".*layer\.\d+\.(intermediate|output)\.dense"),
    ],
)
def test_lora(specification: str, modules: list[str] | str, pooling: str) -> None:
    base, batch = exact_backbone(pooling), batch_of(sharp_backbone(), DATA)
    form: Any = parse_learner(specification).modifications[0]
    alpha = form.scale * form.form.rank
    model = added_to(base, "LoraConfig", r=form.form.rank, lora_alpha=alpha, target_modules=modules)

    def ours(name: str, value: Tensor) -> dict[str, Tensor]:
        layer, role = place(name)
        return {f"added.lora.{role}.{layer}.{'A' if 'lora_A' in name else 'B'}": value}

    compare(base, specification, model, ours, lambda batch: model(**batch).last_hidden_state, batch)


@both
def test_ia3(pooling: str) -> None:
    """peft scales what enters an FFN matrix: l_ff belongs to the second. `output.dense` alone would match W_o too."""
    base, batch = exact_backbone(pooling), batch_of(sharp_backbone(), DATA)
    second = r"encoder\.layer\.\d+\.output\.dense"
    model = added_to(
        base, "IA3Config", target_modules=rf".*self\.(key|value)|.*{second}", feedforward_modules=rf".*{second}"
    )

    def ours(name: str, value: Tensor) -> dict[str, Tensor]:
        layer, role = place(name)
        return {f"added.ia3.{role.replace('w2', 'intermediate')}.{layer}.factor": value.flatten()}

    compare(base, "ia3", model, ours, lambda batch: model(**batch).last_hidden_state, batch)


@both
def test_prompt_tuning(pooling: str) -> None:
    """peft leaves token types out: a single text has but one."""
    base = exact_backbone(pooling)
    batch = batch_of(base, encoded("single"))
    assert not batch.pop("token_type_ids").any()
    model = added_to(base, "PromptTuningConfig", task_type="FEATURE_EXTRACTION", num_virtual_tokens=4)
    compare(
        base,
        "prompt:4",
        model,
        lambda name, value: {"added.prompt.embeddings": value},
        lambda batch: model(**batch).last_hidden_state[:, 4:],
        batch,
    )


@both
def test_prefix_tuning(pooling: str) -> None:
    """Keys and values that peft hands to attention as a cache, in the library's own attention.

    Around it peft's `forward` leaves out token types and counts positions on from the prefix; a prefix in keys and
    values alone has no positions, so the model is called with those of the words.
    """
    base, batch = exact_backbone(pooling), batch_of(sharp_backbone(), DATA)
    model = added_to(base, "PrefixTuningConfig", task_type="FEATURE_EXTRACTION", num_virtual_tokens=5)
    a = base.architecture

    def ours(name: str, value: Tensor) -> dict[str, Tensor]:
        tables = value.reshape(5, 2 * a.layers, a.hidden).unbind(1)  # keys, values of each layer in turn
        return {
            f"added.prefix.{layer}.{part}": tables[2 * layer + i]
            for layer in range(a.layers)
            for i, part in enumerate(("keys", "values"))
        }

    def forward(batch: dict[str, Tensor]) -> Tensor:
        rows, length = batch["input_ids"].shape
        mask = torch.cat([torch.ones(rows, 5, dtype=torch.long), batch["attention_mask"]], dim=1)
        positions = torch.arange(length).expand(rows, -1)
        given = {**batch, "attention_mask": mask, "position_ids": positions}
        hidden: Tensor = model.get_base_model()(**given, past_key_values=model.get_prompt(rows)).last_hidden_state
        return hidden

    compare(base, "prefix:5:mlp=0", model, ours, forward, batch)
