"""An architecture read from a configuration: what it accepts, what it refuses, and its counts for any size."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learners.backbones.architecture import (
    BERT_TYPES,
    POOLED_TYPES,
    Architecture,
    architecture_from_config,
    encoder_parameters,
    layer_module,
    parameter_shapes,
    parameters,
)
from learners.backbones.published import ALIASES, KNOWN_CONFIGS, known_architecture, known_name
from tasks.errors import InputError

BERT: dict[str, Any] = dict(KNOWN_CONFIGS["bert-base-uncased"])
DISTILBERT: dict[str, Any] = dict(KNOWN_CONFIGS["distilbert-base-uncased"])
ELECTRA: dict[str, Any] = dict(KNOWN_CONFIGS["electra-small-discriminator"])


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    model_type = draw(st.sampled_from(BERT_TYPES))
    sizes = st.integers(1, 60)
    heads = draw(st.integers(1, 4))
    hidden = heads * draw(sizes)
    return Architecture(
        model_type=model_type,
        hidden=hidden,
        layers=draw(st.integers(1, 4)),
        ffn=draw(sizes),
        heads=heads,
        vocabulary=draw(sizes) + 1,
        positions=draw(sizes) + 2,
        types=0 if model_type == "distilbert" else draw(st.integers(1, 3)),
        embedding=draw(sizes) if model_type == "electra" else hidden,
        pooler=model_type in POOLED_TYPES and draw(st.booleans()),
        activation="gelu",
        layer_norm_eps=1e-12,
        hidden_dropout=0.1,
        attention_dropout=0.1,
        pad_id=0,
    )


@given(architectures())
def test_counts_equal_the_closed_formulas(a: Architecture) -> None:
    d, ffn, e = a.hidden, a.ffn, a.embedding
    layer = 4 * (d * d + d) + 2 * 2 * d + (d * ffn + ffn) + (ffn * d + d)
    embeddings = (a.vocabulary + a.positions + a.types) * e + 2 * e
    projection = (e * d + d) if e != d else 0
    assert encoder_parameters(a) == a.layers * layer
    assert parameters(a) == embeddings + projection + a.layers * layer + a.pooler * (d * d + d)


@given(architectures())
def test_a_layer_more_adds_one_layer_and_moves_no_other_name(a: Architecture) -> None:
    deeper = parameter_shapes(replace(a, layers=a.layers + 1))
    added = {name: shape for name, shape in deeper.items() if name not in parameter_shapes(a)}
    assert all(name.startswith(layer_module(replace(a, layers=a.layers + 1), a.layers)) for name in added)
    assert sum(map(math.prod, added.values())) * a.layers == encoder_parameters(a)
    assert {name: shape for name, shape in deeper.items() if name not in added} == parameter_shapes(a)


def test_bert_config_is_read_in_full() -> None:
    assert architecture_from_config(BERT) == Architecture(
        "bert", 768, 12, 3072, 12, 30522, 512, 2, 768, True, "gelu", 1e-12, 0.1, 0.1, 0
    )


def test_distilbert_and_electra_differ_where_they_should() -> None:
    distilbert, electra = architecture_from_config(DISTILBERT), architecture_from_config(ELECTRA)
    assert (distilbert.types, distilbert.pooler, distilbert.layers) == (0, False, 6)
    assert (electra.embedding, electra.hidden, electra.pooler) == (128, 256, False)


def test_missing_settings_take_the_defaults_of_transformers() -> None:
    optional = {"layer_norm_eps", "pad_token_id", "hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob"}
    for name in ("bert-base-uncased", "electra-small-discriminator"):
        config = KNOWN_CONFIGS[name]
        bare = {key: value for key, value in config.items() if key not in optional}
        assert architecture_from_config(bare) == architecture_from_config(config)


def test_pooler_can_be_left_out_but_not_invented() -> None:
    assert not architecture_from_config(BERT, pooler=False).pooler
    assert architecture_from_config(BERT, pooler=True).pooler
    for config in (DISTILBERT, ELECTRA):
        with pytest.raises(InputError, match="has no pooler"):
            architecture_from_config(config, pooler=True)


@pytest.mark.parametrize("model_type", ["camembert", "xlm-roberta"])
def test_relatives_of_roberta_are_read_as_roberta(model_type: str) -> None:
    config = {**KNOWN_CONFIGS["roberta-base"], "model_type": model_type}
    assert replace(architecture_from_config(config), model_type="roberta") == known_architecture("roberta-base")


@pytest.mark.parametrize(
    ("config", "change", "message"),
    [
        (BERT, {"hidden_size": 770}, r"here: hidden_size 770 .*multiple of num_attention_heads \(12\)"),
        (DISTILBERT, {"n_heads": 7}, r"dim 768 cannot be split .*multiple of n_heads \(7\)"),
        (BERT, {"num_hidden_layers": 0}, "num_hidden_layers.*from 1 to 1,000; found 0"),
        (BERT, {"vocab_size": "30522"}, "vocab_size.*integer.*'30522'"),
        (BERT, {"intermediate_size": True}, "intermediate_size.*True"),
        (BERT, {"hidden_dropout_prob": 1.0}, "hidden_dropout_prob.*1.0"),
        (BERT, {"layer_norm_eps": 0}, "layer_norm_eps.*above 0.*found 0"),
        (BERT, {"hidden_act": None}, "hidden_act.*None"),
        (BERT, {"pad_token_id": 30522}, "pad_token_id.*30522"),
        (KNOWN_CONFIGS["roberta-base"], {"max_position_embeddings": 2}, "pad_token_id.*position"),
        (BERT, {"pad_token_id": None}, "pad_token_id.*None"),
        (BERT, {"is_decoder": True}, "is_decoder.*False; found True"),
        (BERT, {"position_embedding_type": "relative_key"}, "position_embedding_type.*'absolute'"),
        (BERT, {"model_type": "albert"}, "'albert'.*share one set of weights.*bert, roberta, .*distilbert, electra"),
        (BERT, {"model_type": "taskstream"}, r"an exported classifier; .*model\.backbone\.save_pretrained"),
        (BERT, {"model_type": "gpt2"}, "'gpt2' is not supported; expected an encoder"),
    ],
)
def test_impossible_configs_are_refused_with_a_reason(
    config: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        architecture_from_config({**config, **change}, where="here")


@pytest.mark.parametrize("config", [BERT, DISTILBERT, ELECTRA])
def test_every_missing_size_is_named(config: dict[str, Any]) -> None:
    sizes = [key for key, value in config.items() if isinstance(value, int) and key != "pad_token_id"]
    assert len(sizes) >= 6
    for key in sizes:
        with pytest.raises(InputError, match=f"missing {key};"):
            architecture_from_config({other: value for other, value in config.items() if other != key})
    with pytest.raises(InputError, match="missing model_type"):
        architecture_from_config({key: config[key] for key in sizes})


def test_aliases_and_case_lead_to_the_same_backbone() -> None:
    for alias, name in ALIASES.items():
        assert known_name(alias) == known_name(alias.upper()) == known_name(name) == name
    assert known_architecture("minilm").pooler is False


def test_unknown_backbone_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match="unknown backbone 'bert-larg'; did you mean bert-large"):
        known_architecture("bert-larg")


def test_costs_need_neither_torch_nor_transformers() -> None:
    imports = "import sys, learners.backbones.published, learners.backbones.sites"
    code = f"{imports}; sys.exit(bool({{'torch', 'transformers'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
