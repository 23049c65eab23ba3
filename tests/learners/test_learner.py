"""Which weights a learner tunes and adds, by name, on every architecture."""

from __future__ import annotations

import re

import pytest

from learners.backbones.architecture import MODEL_TYPES, Architecture, parameter_shapes
from learners.backbones.published import known_architecture
from learners.delta.layout import delta_shapes
from learners.forms import Bottleneck
from learners.specification.family import parse_learner
from learners.specification.modification import Modification
from learners.specification.tuned import Tuned
from tasks.errors import InputError

KNOWN = {
    "bert": "bert-base-uncased",
    "roberta": "roberta-base",
    "distilbert": "distilbert-base-uncased",
    "electra": "electra-small-discriminator",
}
every = pytest.mark.parametrize("architecture", [known_architecture(n) for n in KNOWN.values()], ids=list(KNOWN))


def test_the_models_here_stand_for_all_types() -> None:
    assert {known_architecture(name).model_type for name in KNOWN.values()} <= set(MODEL_TYPES)


@every
def test_all_is_all(architecture: Architecture) -> None:
    assert Tuned(all=True).parameters(architecture) == tuple(parameter_shapes(architecture))


@every
def test_norms_are_exactly_those_named_so(architecture: Architecture) -> None:
    """Told by name, as the public code does: every module called a norm, and nothing else."""
    named = tuple(name for name in parameter_shapes(architecture) if "norm" in name.lower())
    assert Tuned(norms="layers", embedding_norm=True).parameters(architecture) == named
    inside = tuple(name for name in named if not name.startswith("embeddings"))
    assert Tuned(norms="layers").parameters(architecture) == inside
    outputs = tuple(name for name in inside if "attention" not in name and "sa_layer" not in name)
    assert Tuned(norms="ffn").parameters(architecture) == outputs
    assert len(outputs) == 2 * architecture.layers


@every
def test_top_layers_are_counted_from_the_top(architecture: Architecture) -> None:
    found = Tuned(top_layers=2).parameters(architecture)
    numbers = {int(match[1]) for name in found if (match := re.search(r"layer\.(\d+)\.", name))}
    assert numbers == {architecture.layers - 2, architecture.layers - 1}
    assert all("layer." in name for name in found)
    with_pooler = set(Tuned(top_layers=2, pooler=True).parameters(architecture)) - set(found)
    assert with_pooler == ({"pooler.dense.weight", "pooler.dense.bias"} if architecture.pooler else set())


def test_more_layers_than_there_are() -> None:
    with pytest.raises(InputError, match=r"topk:13: more layers.*at most 12; found 13"):
        delta_shapes(parse_learner("topk:13"), known_architecture("bert-base"), 2)
    assert delta_shapes(parse_learner("topk:12"), known_architecture("bert-base"), 2)


def test_what_does_not_fit_is_said_with_the_learner() -> None:
    for specification, message in (
        ("feature:13", r"learner feature:layers=13: more layers to read.*at most 12; found 13"),
        ("prompt:512", r"learner prompt:length=512:.*the prompt leaves no space.*less than the 512 tokens.*found 512"),
    ):
        with pytest.raises(InputError, match=message):
            delta_shapes(parse_learner(specification), known_architecture("bert-base"), 2)
    with pytest.raises(InputError, match=r"less than the 512 tokens"):  # of 514 places two are not for words
        delta_shapes(parse_learner("prompt:512"), known_architecture("roberta-base"), 2)
    assert delta_shapes(parse_learner("prompt:511"), known_architecture("roberta-base"), 2)


def test_feature_widens_the_head_and_adds_nothing() -> None:
    shapes = delta_shapes(parse_learner("feature:4"), known_architecture("bert-base"), 3)
    assert shapes == {"head.weight": (3, 4 * 768), "head.bias": (3,)}


def test_keys_tell_layers_apart_unless_shared() -> None:
    own = Modification("m", Bottleneck(4), site="ffn.output")
    assert (own.key(0, "up.weight"), own.key(1, "up.weight")) == ("added.m.0.up.weight", "added.m.1.up.weight")
    shared = Modification("m", Bottleneck(4), site="ffn.output", shared=("up.weight",))
    assert shared.key(0, "up.weight") == shared.key(1, "up.weight") == "added.m.shared.up.weight"
    assert shared.key(1, "up.bias") == "added.m.1.up.bias"
    assert (own.insertion, Modification("m", Bottleneck(4), "ffn.output", "ffn.intermediate").insertion) == (
        "sequential",
        "parallel",
    )


def test_a_parallel_form_reads_another_width_than_it_writes() -> None:
    shapes = delta_shapes(parse_learner("adapterbias"), known_architecture("bert-base"), 2)
    assert shapes["added.adapterbias.11.alpha.weight"] == (1, 3072)
    assert shapes["added.adapterbias.11.vector"] == (768,)


def test_sharing_leaves_one_tensor() -> None:
    names = delta_shapes(parse_learner("adapterbias:share=both"), known_architecture("bert-base"), 2)
    assert [name for name in names if name.startswith("added.")] == [
        "added.adapterbias.shared.vector",
        "added.adapterbias.shared.alpha.weight",
        "added.adapterbias.shared.alpha.bias",
    ]


def test_tuned_weights_have_the_shape_of_the_backbone() -> None:
    architecture = known_architecture("electra-small")
    every = parameter_shapes(architecture)
    shapes = delta_shapes(parse_learner("layernorm"), architecture, 2)
    assert shapes["backbone.embeddings.LayerNorm.weight"] == (128,), "ELECTRA small embeds in 128 dimensions"
    assert all(shapes[name] == every[name[9:]] for name in shapes if name.startswith("backbone."))


@every
@pytest.mark.parametrize("outputs", [1, 2, 157])
def test_the_head_is_linear_on_the_pooled_output(architecture: Architecture, outputs: int) -> None:
    shapes = delta_shapes(parse_learner("head"), architecture, outputs)
    assert shapes == {"head.weight": (outputs, architecture.hidden), "head.bias": (outputs,)}
    assert delta_shapes(parse_learner("majority"), architecture, outputs) == {"head.bias": (outputs,)}
