"""Every site of every supported architecture, checked against real models of a few thousand parameters."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from learners.backbones.architecture import (  # noqa: E402
    BERT_TYPES,
    MODEL_TYPES,
    POOLED_TYPES,
    Architecture,
    architecture_from_config,
    parameter_shapes,
)
from learners.backbones.sites import (  # noqa: E402
    ROLES,
    HookPoint,
    Role,
    embedding_parameters,
    hook_point,
    layer_module,
    layer_parameters,
    norm_parameters,
    pooler_parameters,
    weight_parameters,
    width,
)
from tasks.errors import InputError  # noqa: E402
from tests.worlds import SETTINGS  # noqa: E402

POST_NORM = (*BERT_TYPES, "deberta-v2")
OUTSIDE: tuple[Role, ...] = ("embeddings.norm", "pooler")
INSIDE: tuple[Role, ...] = tuple(role for role in ROLES if role not in OUTSIDE)


def tiny_config(model_type: str) -> dict[str, Any]:
    if model_type == "distilbert":
        sizes = {"dim": 12, "n_layers": 2, "n_heads": 3, "hidden_dim": 20}
    else:
        sizes = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 20}
    if model_type in BERT_TYPES and model_type != "distilbert":
        sizes["type_vocab_size"] = 2
    if model_type == "electra":
        sizes["embedding_size"] = 8
    settings = {"pad_token_id": 0, **SETTINGS[model_type]} if model_type in SETTINGS else {}
    return {"model_type": model_type, "vocab_size": 40, "max_position_embeddings": 16, **sizes, **settings}


def build(model_type: str, pooler: bool | None = None) -> tuple[Any, Architecture]:
    """A seeded random model in eval mode, its LayerNorms moved away from gain 1 and bias 0."""
    config = tiny_config(model_type)
    architecture = architecture_from_config(config, pooler=pooler)
    settings = transformers.AutoConfig.for_model(**config)
    pooling = {"add_pooling_layer": architecture.pooler} if model_type in POOLED_TYPES else {}
    torch.manual_seed(0)
    model = transformers.MODEL_MAPPING[type(settings)](settings, **pooling).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model, architecture


def trace(model: Any, length: int = 7) -> dict[str, tuple[Any, Any]]:
    """Input and output of every module that takes a tensor, as it was first called in one forward pass."""
    seen: dict[str, tuple[Any, Any]] = {}

    def hook(name: str) -> Any:
        def record(module: Any, inputs: tuple[Any, ...], output: Any) -> None:
            if inputs and isinstance(inputs[0], torch.Tensor):
                seen.setdefault(name, (inputs[0], output))

        return record

    handles = [module.register_forward_hook(hook(name)) for name, module in model.named_modules()]
    ids = torch.randint(5, 40, (3, length), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        model(input_ids=ids, attention_mask=torch.ones_like(ids))
    for handle in handles:
        handle.remove()
    return seen


def passed(seen: dict[str, tuple[Any, Any]], point: HookPoint) -> Any:
    """The representation that entered or left the module, of its columns alone."""
    whole = seen[point.module][0 if point.enters else 1]
    return whole if point.columns is None else whole[..., slice(*point.columns)]


@pytest.mark.parametrize("pooler", [None, False])
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_parameters_are_those_of_the_model(model_type: str, pooler: bool | None) -> None:
    model, architecture = build(model_type, pooler)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.named_parameters()}
    assert shapes == parameter_shapes(architecture)
    # Versions of transformers place RoBERTa's position table differently among its embeddings; all else has one order.
    ours, theirs = (
        [name for name in names if "embeddings" not in name] for names in (parameter_shapes(architecture), shapes)
    )
    assert ours == theirs


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_every_site_is_a_module_of_its_width(model_type: str) -> None:
    model, architecture = build(model_type)
    seen = trace(model)
    for layer in range(architecture.layers):
        for role in INSIDE:
            assert passed(seen, hook_point(architecture, role, layer)).shape == (3, 7, width(architecture, role))
    assert passed(seen, hook_point(architecture, "embeddings.norm")).shape == (
        3,
        7,
        width(architecture, "embeddings.norm"),
    )
    if architecture.pooler:
        assert passed(seen, hook_point(architecture, "pooler")).shape == (3, width(architecture, "pooler"))
    assert (width(architecture, "attention.output"), width(architecture, "ffn.intermediate")) == (12, 20)
    assert width(architecture, "ffn.w1") == (40 if model_type == "modernbert" else 20)
    assert width(architecture, "embeddings.norm") == (8 if model_type == "electra" else 12)


@pytest.mark.parametrize("model_type", POST_NORM)
def test_norms_receive_site_output_plus_residual(model_type: str) -> None:
    """Bit for bit, so that a change of the site's output is a change before the residual sum and its LayerNorm."""
    model, architecture = build(model_type)
    seen = trace(model)
    below = "embeddings_project" if model_type == "electra" else "embeddings.dropout"
    for layer in range(architecture.layers):
        attention_norm = hook_point(architecture, "attention.norm", layer).module
        ffn_norm = hook_point(architecture, "ffn.norm", layer).module
        attention_output = passed(seen, hook_point(architecture, "attention.output", layer))
        ffn_output = passed(seen, hook_point(architecture, "ffn.output", layer))
        assert torch.equal(seen[attention_norm][0], attention_output + seen[below][1])
        assert torch.equal(seen[ffn_norm][0], ffn_output + seen[attention_norm][1])
        below = ffn_norm


def test_norms_before_the_sub_layers() -> None:
    """Pre-LN, bit for bit: a sub-layer reads the norm of what goes on, and its output is added to that."""
    model, architecture = build("modernbert")
    seen = trace(model)
    below = seen["embeddings.norm"][1]
    for layer in range(architecture.layers):
        found = {role: passed(seen, hook_point(architecture, role, layer)) for role in INSIDE}
        attention_norm, ffn_norm = (
            hook_point(architecture, role, layer).module for role in ("attention.norm", "ffn.norm")
        )
        assert torch.equal(seen[attention_norm][0], below)
        assert torch.equal(found["attention.input"], found["attention.norm"])
        assert torch.equal(seen[ffn_norm][0], below + found["attention.output"])
        assert torch.equal(found["ffn.input"], found["ffn.norm"])
        below = below + found["attention.output"] + found["ffn.output"]
    assert torch.equal(seen["final_norm"][0], below)


def test_query_key_and_value_lie_side_by_side() -> None:
    model, architecture = build("modernbert")
    seen = trace(model)
    for layer in range(architecture.layers):
        x, weight = seen[f"layers.{layer}.attn.Wqkv"][0], model.layers[layer].attn.Wqkv.weight
        for role in ("attention.query", "attention.key", "attention.value"):
            point = hook_point(architecture, role, layer)
            assert point.columns is not None
            torch.testing.assert_close(passed(seen, point), x @ weight[slice(*point.columns)].T)
        columns = [hook_point(architecture, role, layer).columns for role in INSIDE[1:4]]
        assert columns == [(0, 12), (12, 24), (24, 36)]


def test_intermediate_is_what_the_gate_leaves() -> None:
    model, architecture = build("modernbert")
    seen = trace(model)
    value, gate = passed(seen, hook_point(architecture, "ffn.w1", 1)).chunk(2, dim=-1)
    intermediate = passed(seen, hook_point(architecture, "ffn.intermediate", 1))
    assert torch.equal(intermediate, torch.nn.functional.gelu(value) * gate)


@pytest.mark.parametrize("model_type", POST_NORM)
def test_intermediate_lies_between_activation_and_second_matrix(model_type: str) -> None:
    model, architecture = build(model_type)
    seen = trace(model)
    intermediate = passed(seen, hook_point(architecture, "ffn.intermediate", 1))
    first, second = (
        weight_parameters(architecture, role, 1)[0].removesuffix(".weight")
        for role in ("ffn.intermediate", "ffn.output")
    )
    assert torch.equal(intermediate, torch.nn.functional.gelu(seen[first][1]))
    assert torch.equal(intermediate, seen[second][0])


@pytest.mark.parametrize("model_type", POST_NORM)
def test_outputs_leave_after_their_dropout(model_type: str) -> None:
    """In training mode a tenth is zero where the architecture has a dropout; DistilBERT has none after attention."""
    model, architecture = build(model_type)
    model.train()
    seen = trace(model, length=14)
    expected: dict[Role, bool] = {"attention.output": model_type != "distilbert", "ffn.output": True}
    for role, dropped in expected.items():
        assert bool((passed(seen, hook_point(architecture, role, 0)) == 0).any()) is dropped


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_parameter_groups_partition_the_model(model_type: str) -> None:
    model, architecture = build(model_type)
    groups = [embedding_parameters(architecture)]
    groups += [layer_parameters(architecture, layer) for layer in range(architecture.layers)]
    groups += [pooler_parameters(architecture)]
    if model_type == "modernbert":
        groups += [("final_norm.weight",)]
    assert sorted(name for group in groups for name in group) == sorted(name for name, _ in model.named_parameters())
    for layer in range(architecture.layers):
        owner = model.get_submodule(layer_module(architecture, layer))
        assert len(layer_parameters(architecture, layer)) == len(list(owner.parameters()))
        roles = ("attention.query", "attention.key", "attention.value", "attention.wo", "attention.norm", "ffn.norm")
        by_role = {n for role in (*roles, "ffn.w1", "ffn.w2") for n in weight_parameters(architecture, role, layer)}
        assert sorted(by_role) == sorted(layer_parameters(architecture, layer))


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_norm_parameters_are_those_of_layer_norm_modules(model_type: str) -> None:
    model, architecture = build(model_type)
    expected = [
        f"{name}.{part}"
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.LayerNorm)
        for part, _ in module.named_parameters()
    ]
    assert sorted(norm_parameters(architecture)) == sorted(expected)
    of_embeddings = set(norm_parameters(architecture)) - set(norm_parameters(architecture, embeddings=False))
    assert of_embeddings == {name for name in expected if name.startswith("embeddings.")}
    assert len(of_embeddings) == (1 if model_type == "modernbert" else 2)


@pytest.mark.parametrize("model_type", BERT_TYPES)
def test_maximum_length_is_the_longest_row_that_runs(model_type: str) -> None:
    model, architecture = build(model_type)
    trace(model, architecture.maximum_length)
    with pytest.raises((IndexError, RuntimeError)):
        trace(model, architecture.maximum_length + 1)


def test_wrong_questions_get_one_clear_answer() -> None:
    bert, distilbert = (architecture_from_config(tiny_config(name)) for name in ("bert", "distilbert"))
    with pytest.raises(InputError, match=r"unknown site 'ffn.outputs'; did you mean ffn.output"):
        hook_point(bert, "ffn.outputs", 0)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="unknown site"):
        width(bert, "fnn")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="distilbert model has no pooler"):
        hook_point(distilbert, "pooler")
    for layer in (-1, 2):
        with pytest.raises(InputError, match=f"expected 0 to 1; found {layer}"):
            hook_point(bert, "ffn.output", layer)
    with pytest.raises(ValueError, match="needs a layer"):
        hook_point(bert, "ffn.output")
    with pytest.raises(ValueError, match="outside the layers"):
        hook_point(bert, "embeddings.norm", 0)
