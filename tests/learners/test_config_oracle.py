"""Configs read as JSON, against the configuration classes of transformers: defaults, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from learners.backbones.architecture import MODEL_TYPES, architecture_from_config
from learners.backbones.architectures import ANATOMIES
from learners.backbones.architectures.values import ACTIVATIONS
from learners.backbones.backbone import _read_config
from learners.backbones.library import library_config
from learners.backbones.published import KNOWN_CONFIGS
from tasks.errors import InputError
from tests.worlds import SETTINGS

transformers = pytest.importorskip("transformers")
# A DeBERTa config is refused without these, as only one form of its attention is supported.
NEEDED: dict[str, dict[str, Any]] = {
    "deberta-v2": {k: v for k, v in SETTINGS["deberta-v2"].items() if k != "position_buckets"}
}
# Values that a JSON file may have under any key.
VALUES: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2, 3, 8, 10**9, 2**40, -0.5, 0.0, 0.1, 1.0, 2.0, 64.0, 1e308,
    "", "gelu", "os.system", "absolute", "layer_norm", "p2c|c2p", "12", [], {}, [1], ["p2c", "c2p"],
    ["full_attention"] * 22, {"full_attention": {"rope_theta": 10.0}}, {"full_attention": None},
)  # fmt: skip


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_defaults_are_those_of_transformers(model_type: str) -> None:
    anatomy = ANATOMIES[model_type]
    default = transformers.AutoConfig.for_model(model_type).to_dict()
    assert anatomy.usual == {key: default[key] for key in anatomy.usual}
    assert anatomy.usual.keys() >= set(anatomy.sizes.values())
    assert dict(anatomy.settings.values()) == {key: default[key] for key, _ in anatomy.settings.values()}
    checked = {key for key in anatomy.accepted if default.get(key) is not None}
    refused = {key for key in checked if default[key] not in anatomy.accepted[key]}
    assert refused <= anatomy.usual.keys(), "a default that is not supported must be seen, and refused"


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_an_empty_config_is_the_default_model(model_type: str, tmp_path: Path) -> None:
    """Every field, those that `further` computes among them."""
    needed = NEEDED.get(model_type, {})
    default = transformers.AutoConfig.for_model(model_type, **needed).to_dict()
    default = {key: value for key, value in default.items() if value is not None} | needed
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"model_type": model_type, **needed}), encoding="utf-8")
    assert _read_config(file, "cls")[1] == architecture_from_config(default)


def test_activations_are_names_that_transformers_has() -> None:
    from transformers.activations import ACT2FN

    assert set(ACTIVATIONS) <= set(ACT2FN)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_transformers_refuses_no_config_that_is_read(model_type: str) -> None:
    """Its classes check types. What they refuse must be refused here, because exports and peft build their models."""
    known = next((c for c in KNOWN_CONFIGS.values() if c["model_type"] == model_type), {"model_type": model_type})
    config = {**ANATOMIES[model_type].usual, **NEEDED.get(model_type, {}), **known}
    read = 0
    for key in sorted(ANATOMIES[model_type].keys):
        for value in VALUES:
            changed = {**config, key: value}
            try:
                architecture = architecture_from_config(changed)
            except InputError:
                continue
            read += 1
            assert library_config(architecture, changed, "here").model_type == model_type, (key, value)
    assert read > len(config)


def test_what_transformers_refuses_is_an_input_error() -> None:
    config = {**KNOWN_CONFIGS["bert-base-uncased"]}
    with pytest.raises(InputError, match=r"here: cannot build a model from this config; found .*vocab_size"):
        library_config(architecture_from_config(config), {**config, "vocab_size": "many"}, "here")


@pytest.mark.parametrize("function", ["os.system", "gelu_10", "", None, 3, ["gelu"]])
def test_other_activations_are_refused(function: object) -> None:
    config = {**KNOWN_CONFIGS["bert-base-uncased"], "hidden_act": function}
    with pytest.raises(InputError, match=r"unsupported hidden_act; expected one of gelu, gelu_new, .*found "):
        architecture_from_config(config)
