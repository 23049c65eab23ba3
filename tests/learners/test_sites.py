"""Every site of every supported architecture, checked against real models of a few thousand parameters."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from learners.architecture import (  # noqa: E402
    MODEL_TYPES,
    POOLED_TYPES,
    Architecture,
    architecture_from_config,
    parameter_shapes,
)
from learners.sites import (  # noqa: E402
    ROLES,
    Role,
    embedding_parameters,
    layer_module,
    layer_parameters,
    module_name,
    norm_parameters,
    pooler_parameters,
    weight_parameters,
    width,
)
from tasks.errors import InputError  # noqa: E402

OUTSIDE: tuple[Role, ...] = ("embeddings.norm", "pooler")
INSIDE: tuple[Role, ...] = tuple(role for role in ROLES if role not in OUTSIDE)


def tiny_config(model_type: str) -> dict[str, Any]:
    if model_type == "distilbert":
        sizes = {"dim": 12, "n_layers": 2, "n_heads": 3, "hidden_dim": 20}
    else:
        sizes = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 20}
        sizes["type_vocab_size"] = 2
    if model_type == "electra":
        sizes["embedding_size"] = 8
    return {"model_type": model_type, "vocab_size": 40, "max_position_embeddings": 16, **sizes}


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
    """First input and output of every module that gives a tensor, from one forward pass."""
    seen: dict[str, tuple[Any, Any]] = {}

    def hook(name: str) -> Any:
        def record(module: Any, inputs: tuple[Any, ...], output: Any) -> None:
            if inputs and isinstance(output, torch.Tensor):
                seen[name] = (inputs[0], output)

        return record

    handles = [module.register_forward_hook(hook(name)) for name, module in model.named_modules()]
    ids = torch.randint(5, 40, (3, length), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        model(input_ids=ids, attention_mask=torch.ones_like(ids))
    for handle in handles:
        handle.remove()
    return seen


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
            assert seen[module_name(architecture, role, layer)][1].shape == (3, 7, width(architecture, role))
    assert seen[module_name(architecture, "embeddings.norm")][1].shape == (3, 7, width(architecture, "embeddings.norm"))
    if architecture.pooler:
        assert seen[module_name(architecture, "pooler")][1].shape == (3, width(architecture, "pooler"))
    assert (width(architecture, "attention.output"), width(architecture, "ffn.intermediate")) == (12, 20)
    assert width(architecture, "embeddings.norm") == (8 if model_type == "electra" else 12)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_norms_receive_site_output_plus_residual(model_type: str) -> None:
    """Bit for bit, so that a change of the site's output is a change before the residual sum and its LayerNorm."""
    model, architecture = build(model_type)
    seen = trace(model)
    below = "embeddings_project" if model_type == "electra" else "embeddings.dropout"
    for layer in range(architecture.layers):
        attention_norm = module_name(architecture, "attention.norm", layer)
        ffn_norm = module_name(architecture, "ffn.norm", layer)
        attention_output = seen[module_name(architecture, "attention.output", layer)][1]
        ffn_output = seen[module_name(architecture, "ffn.output", layer)][1]
        assert torch.equal(seen[attention_norm][0], attention_output + seen[below][1])
        assert torch.equal(seen[ffn_norm][0], ffn_output + seen[attention_norm][1])
        below = ffn_norm


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_intermediate_lies_between_activation_and_second_matrix(model_type: str) -> None:
    model, architecture = build(model_type)
    seen = trace(model)
    intermediate = seen[module_name(architecture, "ffn.intermediate", 1)][1]
    first, second = (
        weight_parameters(architecture, role, 1)[0].removesuffix(".weight")
        for role in ("ffn.intermediate", "ffn.output")
    )
    assert torch.equal(intermediate, torch.nn.functional.gelu(seen[first][1]))
    assert torch.equal(intermediate, seen[second][0])


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_outputs_leave_after_their_dropout(model_type: str) -> None:
    """In training mode a tenth is zero where the architecture has a dropout; DistilBERT has none after attention."""
    model, architecture = build(model_type)
    model.train()
    seen = trace(model, length=14)
    expected: dict[Role, bool] = {"attention.output": model_type != "distilbert", "ffn.output": True}
    for role, dropped in expected.items():
        assert bool((seen[module_name(architecture, role, 0)][1] == 0).any()) is dropped


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_parameter_groups_partition_the_model(model_type: str) -> None:
    model, architecture = build(model_type)
    groups = [embedding_parameters(architecture)]
    groups += [layer_parameters(architecture, layer) for layer in range(architecture.layers)]
    groups += [pooler_parameters(architecture)]
    assert sorted(name for group in groups for name in group) == sorted(name for name, _ in model.named_parameters())
    for layer in range(architecture.layers):
        owner = model.get_submodule(layer_module(architecture, layer))
        assert len(layer_parameters(architecture, layer)) == len(list(owner.parameters()))
        by_role = [name for role in INSIDE for name in weight_parameters(architecture, role, layer)]
        assert sorted(by_role) == sorted(layer_parameters(architecture, layer))


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_norm_parameters_are_those_of_layer_norm_modules(model_type: str) -> None:
    model, architecture = build(model_type)
    expected = [
        f"{name}.{part}"
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.LayerNorm)
        for part in ("weight", "bias")
    ]
    assert sorted(norm_parameters(architecture)) == sorted(expected)
    assert set(norm_parameters(architecture)) - set(norm_parameters(architecture, embeddings=False)) == {
        "embeddings.LayerNorm.weight",
        "embeddings.LayerNorm.bias",
    }


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_maximum_length_is_the_longest_row_that_runs(model_type: str) -> None:
    model, architecture = build(model_type)
    trace(model, architecture.maximum_length)
    with pytest.raises((IndexError, RuntimeError)):
        trace(model, architecture.maximum_length + 1)


def test_wrong_questions_get_one_clear_answer() -> None:
    bert, distilbert = (architecture_from_config(tiny_config(name)) for name in ("bert", "distilbert"))
    with pytest.raises(InputError, match=r"unknown site 'ffn.outputs'; did you mean ffn.output"):
        module_name(bert, "ffn.outputs", 0)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="unknown site"):
        width(bert, "fnn")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="distilbert model has no pooler"):
        module_name(distilbert, "pooler")
    for layer in (-1, 2):
        with pytest.raises(InputError, match=f"expected 0 to 1; found {layer}"):
            module_name(bert, "ffn.output", layer)
    with pytest.raises(ValueError, match="needs a layer"):
        module_name(bert, "ffn.output")
    with pytest.raises(ValueError, match="outside the layers"):
        module_name(bert, "embeddings.norm", 0)
