"""Architectures that are no BERT under other names: what every learner does on them, and why some cannot apply."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from transformers import AutoModelForSequenceClassification

from learners.backbones.architecture import Architecture, architecture_from_config, encoder_parameters, parameters
from learners.backbones.backbone import Backbone, changed_tensor, load_backbone
from learners.backbones.published import KNOWN_CONFIGS
from learners.backbones.sites import Role, hook_point, weight_parameters, word_table
from learners.delta.delta import load_delta, save_delta
from learners.delta.initial import initial_delta
from learners.delta.layout import delta_shapes
from learners.forward.batches import evaluation_plan
from learners.forward.change import Change, Reads, change_by
from learners.forward.forward import STATES, logits, pooled
from learners.specification.family import families, parse_learner
from learners.training.fit import fit
from learners.training.predict import predict
from tasks.errors import InputError
from tests.loaded import backbone, batch_of, encoded, modules_of, moved, score
from tests.worlds import ARCHITECTURES, NEW_ARCHITECTURES, applies, save_backbone

DATA = encoded("three", classes=3, rows=32)
every = pytest.mark.parametrize("model_type", NEW_ARCHITECTURES)
SCORES = {"deberta-v2": "adds scores of relative positions", "modernbert": "rotates q and k by position"}
ATTENTION = ("prefix:4:mlp=8", "mam:prefix=4:parallel=4:mlp=0", "mhpa:4", "prefix:4:mlp=0+parallel:4")
# Specification -> what is missing in a pre-LN encoder without biases.
PRE_NORM = {
    "pfeiffer:48": "norm after the residual sum.*pre-LN",
    "pfeiffer:16:wiring=code": "norm after the residual sum.*pre-LN",
    "adapterbias:vector=ones": "v = 1, a shift that only a norm after.*pre-LN",
    "bitfit": "no biases to tune",
    "bitfit:biases=q-m2": "no biases to tune",
    "lora:4+bitfit:biases=layers": "no biases to tune",
}
FIRST = {family.examples[0] for family in families().values() if family.name not in ("avalanche", "peft")}
LEARNERS = (
    FIRST
    | ({"peft"} if find_spec("peft") else set())
    | {
        "adapter:4:insertion=parallel:composition=multiply",
        "adapterbias:share=alpha:l0=1e-4",
        "lora:2:matrices=qkvo",
        "parallel:8:where=attention",
        "pfeiffer:16:wiring=code",
    }
)
APPLY = {s: [m for m in NEW_ARCHITECTURES if applies(s, m)] for s in sorted(LEARNERS)}
CASES = [(s, m) for s, types in APPLY.items() for m in types]
LIVES = [(s, types[turn % len(types)]) for turn, (s, types) in enumerate(APPLY.items()) if types]  # on one, in turn
UNCHANGED = ("head", "full", "layernorm", "topk:2", "lora:4:matrices=qkvo", "lora-ffn:2", "ia3", "adapterbias",
             "parallel:4", "parallel:8:where=attention")  # fmt: skip


@pytest.mark.parametrize(("specification", "model_type"), LIVES)
def test_fit_predict_store(specification: str, model_type: str, tmp_path: Path) -> None:
    epochs = 2 if specification.startswith("diffpruning") else 1  # which wants an epoch after pruning
    base, learner = backbone(model_type), parse_learner(specification, {"epochs": epochs, "batch_size": 16})
    delta = fit(base, learner, DATA, score, 0).delta
    declared = delta_shapes(learner, base.architecture, DATA.task.outputs)
    assert {name: tuple(t.shape) for name, t in delta.tensors.items()} == declared
    assert all(t.isfinite().all() for t in delta.tensors.values())
    plan, path = evaluation_plan(DATA.test), tmp_path / "delta.safetensors"
    save_delta(delta, path)
    again = load_delta(path, expected=delta.id)
    output = predict(base, learner, delta, DATA.test, plan)
    assert predict(base, learner, again, DATA.test, plan).tobytes() == output.tobytes()
    assert changed_tensor(base) is None


@pytest.mark.parametrize(("specification", "model_type"), [c for c in CASES if not parse_learner(c[0]).no_encoder])
def test_gradients_reach_what_is_declared_alone(specification: str, model_type: str) -> None:
    base, learner = backbone(model_type), parse_learner(specification)
    trainable = {n: t.requires_grad_(True) for n, t in moved(base, learner, DATA.task).tensors.items()}
    torch.autograd.backward(logits(base, learner, trainable, batch_of(base, DATA)).square().sum())
    assert not any(weight.requires_grad for weight in base.encoder.values())
    for name, leaf in trainable.items():
        assert leaf.grad is not None
        # Softmax does not see what is added to all keys alike; padding is in no row as a word.
        assert leaf.grad.any() or name.endswith("key_proj.bias"), name


@every
@pytest.mark.parametrize("specification", UNCHANGED)
def test_the_start_is_the_backbone_bit_for_bit(specification: str, model_type: str) -> None:
    base, learner, batch = backbone(model_type), parse_learner(specification), batch_of(backbone(model_type), DATA)
    tensors = initial_delta(base, learner, DATA.task, seed=0).tensors
    plain = pooled(base, parse_learner("head"), {}, batch)
    assert torch.equal(pooled(base, learner, tensors, batch), plain)


# ---- who cannot apply says why


@every
@pytest.mark.parametrize("specification", ATTENTION)
def test_who_takes_part_in_attention_is_refused(specification: str, model_type: str) -> None:
    with pytest.raises(InputError, match=f"learner .*q·k/√d_h alone; found a {model_type} .*{SCORES[model_type]}"):
        delta_shapes(parse_learner(specification), backbone(model_type).architecture, 2)


@pytest.mark.parametrize(("specification", "message"), PRE_NORM.items())
def test_what_pre_norm_without_biases_lacks(specification: str, message: str) -> None:
    with pytest.raises(InputError, match=f"learner .*{message}"):
        delta_shapes(parse_learner(specification), backbone("modernbert").architecture, 2)
    assert delta_shapes(parse_learner(specification), backbone("deberta-v2").architecture, 2)


@pytest.mark.parametrize("model_type", sorted({*ARCHITECTURES, *NEW_ARCHITECTURES}))
@pytest.mark.parametrize("specification", sorted({*LEARNERS, *ATTENTION, *PRE_NORM}))
def test_no_other_is_refused(specification: str, model_type: str) -> None:
    architecture, learner = backbone(model_type).architecture, parse_learner(specification)
    if applies(specification, model_type):
        assert delta_shapes(learner, architecture, 2)
    else:
        with pytest.raises(InputError):
            delta_shapes(learner, architecture, 2)


# ---- a change beside a matrix is a change of the matrix


def merged(base: Backbone, tensors: Mapping[str, Tensor], scale: float) -> dict[str, Tensor]:
    """Weights with the products of LoRA added to the rows they belong to."""
    weights = {name: tensor.clone() for name, tensor in base.weights.items()}
    for name, a in tensors.items():
        if name.startswith("added.lora.") and name.endswith(".A"):
            *site, layer = name.removeprefix("added.lora.").removesuffix(".A").split(".")
            role: Any = ".".join(site)
            first, last = hook_point(base.architecture, role, int(layer)).columns or (None, None)
            weight = weight_parameters(base.architecture, role, int(layer))[0]
            weights[weight][first:last] += scale * tensors[f"{name.removesuffix('A')}B"] @ a
    return weights


@every
@pytest.mark.parametrize("specification", ["lora:2:matrices=q", "lora:2:matrices=qkvo", "lora-ffn:2"])
def test_lora_is_its_merged_weights(specification: str, model_type: str) -> None:
    """DeBERTa's projections make queries and keys of positions too: LoRA beside them acts as in their sum."""
    base, learner = backbone(model_type), parse_learner(specification)
    tensors, batch = dict(moved(base, learner, DATA.task, scale=0.6).tensors), batch_of(base, DATA)
    found = pooled(base, learner, tensors, batch)
    expected = torch.func.functional_call(
        modules_of(base), merged(base, tensors, 16 / 2), kwargs=batch
    ).last_hidden_state
    # DeBERTa amplifies the rounding of a merged weight: 2e-5 with the AVX2 kernels of MKL, 5e-5 with those of AVX-512.
    torch.testing.assert_close(found, expected[:, 0], atol=1e-4, rtol=1e-4)
    assert not torch.allclose(found, modules_of(base)(**batch).last_hidden_state[:, 0], atol=1e-3)


@every
def test_factors_are_those_of_the_matrices_rows(model_type: str) -> None:
    base, learner, batch = backbone(model_type), parse_learner("ia3"), batch_of(backbone(model_type), DATA)
    tensors = dict(moved(base, learner, DATA.task).tensors)
    weights = {name: tensor.clone() for name, tensor in base.weights.items()}
    for layer in range(base.architecture.layers):
        for role in ("attention.key", "attention.value"):
            factor = tensors[f"added.ia3.{role}.{layer}.factor"]
            columns = hook_point(base.architecture, role, layer).columns
            for name in weight_parameters(base.architecture, role, layer):
                part = weights[name][slice(*columns)] if columns else weights[name]
                part *= factor.reshape(-1, *[1] * (part.ndim - 1))
        inner = tensors[f"added.ia3.ffn.intermediate.{layer}.factor"]
        weights[weight_parameters(base.architecture, "ffn.w2", layer)[0]] *= inner
    expected = torch.func.functional_call(modules_of(base), weights, kwargs=batch).last_hidden_state[:, 0]
    torch.testing.assert_close(pooled(base, learner, tensors, batch), expected, atol=1e-5, rtol=1e-5)


def representations(base: Backbone, specification: str, site: Role) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """What is added, and the representation at a site of the first layer without it and with it."""
    learner, batch = parse_learner(specification), batch_of(base, DATA)
    tensors = moved(base, learner, DATA.task).tensors
    added = {name: tensor for name, tensor in tensors.items() if name.startswith("added.")}
    found = []
    for modifications in ((), learner.modifications):
        changed = change_by(base.architecture, modifications, added, base.encoder, batch["attention_mask"], False)

        def record(at: Role, layer: int, h: Tensor, reads: Reads, changed: Change = changed) -> Tensor:
            h = changed(at, layer, h, reads)
            if (at, layer) == (site, 0) and len(h) == len(batch["input_ids"]):  # not that of DeBERTa's positions
                found.append(h)
            return h

        next(STATES[base.architecture.model_type](base.architecture, base.encoder, batch, record))
    return added, found[0], found[1]


def test_a_part_changed_leaves_the_others_bit_for_bit() -> None:
    base = backbone("modernbert")
    for site in ("attention.query", "attention.key", "attention.value"):
        _, plain, changed = representations(base, "lora:2:matrices=v", site)
        assert torch.equal(plain, changed) is (site != "attention.value")


def test_a_parallel_adapter_beside_attention_reads_words_and_not_positions() -> None:
    """Heads plus ReLU(x W₁ + b₁) W₂ + b₂ of what the layer reads, in DeBERTa's first layer the embeddings."""
    base = backbone("deberta-v2")
    added, plain, changed = representations(base, "parallel:8:where=attention", "attention.heads")
    batch = batch_of(base, DATA)
    x = modules_of(base).embeddings(input_ids=batch["input_ids"], mask=batch["attention_mask"])
    own = {name.removeprefix("added.parallel.attention.0."): t for name, t in added.items()}
    change = torch.relu(x @ own["down.weight"].T + own["down.bias"]) @ own["up.weight"].T + own["up.bias"]
    torch.testing.assert_close(changed, plain + change)


# ---- prompts, padding, dtypes


@every
def test_a_prompt_of_words_is_those_words(model_type: str) -> None:
    """Their vectors before the row give what the row gives with them before it."""
    base, learner = backbone(model_type), parse_learner("prompt:3")
    ids = torch.tensor([[5, 9, 7, 2, 6, 11, 3]])
    tensors = dict(initial_delta(base, learner, DATA.task, seed=0).tensors)
    tensors["added.prompt.embeddings"] = base.weights[word_table(base.architecture)][ids[0, :3]]
    batch = {"input_ids": ids[:, 3:], "attention_mask": torch.ones(1, 4, dtype=torch.int64)}
    expected = modules_of(base)(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[:, 3]
    torch.testing.assert_close(pooled(base, learner, tensors, batch), expected)


@every
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_padding_changes_nothing(model_type: str, pooling: str) -> None:
    base, learner = backbone(model_type, pooling), parse_learner("lora:2:matrices=qkvo")
    tensors, batch = moved(base, learner, DATA.task).tensors, batch_of(base, DATA)
    together = pooled(base, learner, tensors, batch)
    for row, length in enumerate(batch["attention_mask"].sum(1).tolist()):
        alone = {name: tensor[row : row + 1, :length] for name, tensor in batch.items()}
        torch.testing.assert_close(pooled(base, learner, tensors, alone)[0], together[row], atol=1e-5, rtol=1e-5)


@every
def test_bfloat16_is_near(model_type: str) -> None:
    learner, found = parse_learner("lora:2"), {}
    for dtype in ("float32", "bfloat16"):
        base = backbone(model_type, "cls", dtype)
        delta = initial_delta(base, learner, DATA.task, seed=0)
        found[dtype] = logits(base, learner, delta.tensors, batch_of(base, DATA))
    assert found["bfloat16"].dtype == torch.float32
    torch.testing.assert_close(found["bfloat16"], found["float32"], atol=0.05, rtol=0.05)


# ---- files and configs


@every
def test_a_model_with_a_head_is_read_as_its_body(model_type: str, tmp_path: Path) -> None:
    bare = save_backbone(tmp_path / "bare", model_type)
    whole = tmp_path / "whole"
    shutil.copytree(bare, whole)
    AutoModelForSequenceClassification.from_pretrained(bare).save_pretrained(whole)
    first, second = load_backbone(str(bare)), load_backbone(str(whole))
    assert second.notes == ()
    assert {n: t.tolist() for n, t in first.weights.items()} == {n: t.tolist() for n, t in second.weights.items()}


@pytest.mark.parametrize("change", [{"local_attention": 8}, {"global_attn_every_n_layers": 1, "layer_types": None}])
def test_windows_are_those_of_the_config(change: dict[str, Any], tmp_path: Path) -> None:
    folder, batch = save_backbone(tmp_path / "model", "modernbert"), batch_of(backbone("modernbert"), DATA)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))
    changed, plain = load_backbone(str(folder)), backbone("modernbert")
    assert changed.id != plain.id
    outputs = [[*STATES[b.architecture.model_type](b.architecture, b.encoder, batch)][-1] for b in (changed, plain)]
    assert not torch.equal(*outputs)
    tokens = batch["attention_mask"].bool()
    torch.testing.assert_close(outputs[0][tokens], modules_of(changed)(**batch).last_hidden_state[tokens])


DEBERTA, MODERNBERT = (dict(KNOWN_CONFIGS[name]) for name in ("deberta-v3-base", "ModernBERT-base"))


@pytest.mark.parametrize(
    ("config", "change", "message"),
    [
        (DEBERTA, {"relative_attention": False}, "unsupported relative_attention; expected True; found False"),
        (DEBERTA, {"share_att_key": None}, "unsupported share_att_key; expected True; found None"),
        (DEBERTA, {"pos_att_type": "c2p"}, "unsupported pos_att_type.*'c2p'"),
        (DEBERTA, {"conv_kernel_size": 3}, "unsupported conv_kernel_size; expected 0; found 3"),
        (DEBERTA, {"embedding_size": 128}, "unsupported embedding_size; expected no such key; found 128"),
        (DEBERTA, {"position_buckets": 1}, "invalid position_buckets.*at least 2"),
        (DEBERTA, {"position_buckets": 1024}, r"invalid position_buckets.*\(512\); found 1024"),
        (DEBERTA, {"max_position_embeddings": 2**30}, "invalid max_position_embeddings.*1,048,576"),
        (MODERNBERT, {"norm_bias": True}, "unsupported norm_bias; expected False; found True"),
        (MODERNBERT, {"num_attention_heads": 256}, "invalid num_attention_heads.*even width.*found 3"),
        (MODERNBERT, {"local_attention": "wide"}, "invalid local_attention.*'wide'"),
        (MODERNBERT, {"global_attn_every_n_layers": 0}, "invalid global_attn_every_n_layers.*found 0"),
        (MODERNBERT, {"layer_types": ["full_attention"]}, "invalid layer_types.*each of 22 layers"),
        (MODERNBERT, {"layer_types": [[]] * 22}, "invalid layer_types"),
        (MODERNBERT, {"rope_parameters": {"full_attention": {"rope_type": "yarn"}}}, "unsupported rotary.*yarn"),
        (MODERNBERT, {"global_rope_theta": 0}, "unsupported rotary positions"),
        (MODERNBERT, {"embedding_dropout": 1}, "invalid embedding_dropout"),
    ],
)
def test_impossible_configs_are_refused_with_a_reason(
    config: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=f"here: {message}"):
        architecture_from_config({**config, **change}, where="here")


sizes = st.integers(1, 60)


@given(heads=st.integers(1, 4), size=sizes, layers=st.integers(1, 4), ffn=sizes, vocabulary=sizes, rows=sizes)
def test_counts_equal_the_closed_formulas(
    heads: int, size: int, layers: int, ffn: int, vocabulary: int, rows: int
) -> None:
    d, words = 2 * heads * size, vocabulary + 1
    deberta = Architecture(
        "deberta-v2", d, layers, ffn, heads, words, 9, 0, d, False, "gelu", 1e-7, 0.1, 0.1, 0, relative=2 * rows
    )
    layer = 4 * (d * d + d) + 2 * 2 * d + (d * ffn + ffn) + (ffn * d + d)
    assert encoder_parameters(deberta) == layers * layer
    assert parameters(deberta) == words * d + 2 * d + layers * layer + 2 * rows * d + 2 * d
    modern = replace(deberta, model_type="modernbert", relative=0)
    inside = layers * (4 * d * d + 3 * d * ffn + 2 * d) - d  # no norm before the first attention
    assert encoder_parameters(modern) == inside
    assert parameters(modern) == words * d + d + inside + d
