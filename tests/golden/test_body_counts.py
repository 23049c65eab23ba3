"""Parameter counts of published encoders, exact, and what transformers itself counts."""

from __future__ import annotations

import math
from typing import Any

import pytest

from learners.backbones.architecture import POOLED_TYPES, encoder_parameters, parameter_shapes, parameters
from learners.backbones.published import KNOWN_CONFIGS, known_architecture
from learners.backbones.sites import embedding_parameters, layer_parameters, norm_parameters, pooler_parameters

# Embeddings with their LayerNorm, one layer, all layers, pooler, total. Source: the closed formulas
# layer = 4(d²+d) + 2·2d + (d·ff+ff) + (ff·d+d), pooler = d²+d, embeddings = (V+P+T)·d + 2d.
PARTS = {
    "bert-base-uncased": (23_837_184, 7_087_872, 85_054_464, 590_592, 109_482_240),
    "bert-large-uncased": (31_782_912, 12_596_224, 302_309_376, 1_049_600, 335_141_888),
    "roberta-base": (39_000_576, 7_087_872, 85_054_464, 590_592, 124_645_632),
    "roberta-large": (52_000_768, 12_596_224, 302_309_376, 1_049_600, 355_359_744),
}
# The same formulas, T = 0 for DistilBERT, embeddings 128 wide and projected by 128·256+256 for ELECTRA small.
TOTALS = {
    **{name: parts[-1] for name, parts in PARTS.items()},
    # tables and their norm; six layers of four square maps, two of d_ff and two norms
    "embedded": (8000 + 256 + 2 + 2) * 128 + 6 * (4 * (128 + 1) * 128 + 2 * 128 * 512 + 512 + 128 + 4 * 128),
    "distilbert-base-uncased": 66_362_880,
    "electra-small-discriminator": (30522 + 512 + 2) * 128 + 2 * 128 + (128 * 256 + 256) + 12 * 789_760,
    "electra-base-discriminator": 109_482_240 - 590_592,  # BERT-base without its pooler
    # words and their norm, BERT-base's layers, 2 * 256 relative positions and their norm; the card says 98 M and 86 M
    "deberta-v3-base": 128_100 * 768 + 2 * 768 + 85_054_464 + 512 * 768 + 2 * 768,
    # words and their gain; four square maps, d_ff = 1,152 thrice, two gains a layer but one; one more. 149 M, the paper
    "ModernBERT-base": 50_368 * 768 + 768 + 22 * (4 * 768**2 + 3 * 768 * 1152 + 2 * 768) - 768 + 768,
    "all-MiniLM-L6-v2": 22_713_216 - (384 * 384 + 384),  # 22.7 M on its model card, pooler included
}


def size(name: str, names: tuple[str, ...]) -> int:
    shapes = parameter_shapes(known_architecture(name))
    return sum(math.prod(shapes[parameter]) for parameter in names)


@pytest.mark.parametrize("name", PARTS)
def test_parts_of_bert_and_roberta(name: str) -> None:
    architecture = known_architecture(name)
    embeddings, layer, encoder, pooler, total = PARTS[name]
    assert size(name, embedding_parameters(architecture)) == embeddings
    assert {size(name, layer_parameters(architecture, i)) for i in range(architecture.layers)} == {layer}
    assert encoder_parameters(architecture) == encoder
    assert size(name, pooler_parameters(architecture)) == pooler
    assert parameters(architecture) == total


def test_layer_norms_of_bert_base() -> None:
    """Houlsby et al. (2019, section 3.4) print 40k for LayerNorm-only; 2 d a norm gives 36,864 and 38,400."""
    architecture = known_architecture("bert-base-uncased")
    assert size("bert-base-uncased", norm_parameters(architecture, embeddings=False)) == 36_864
    assert size("bert-base-uncased", norm_parameters(architecture)) == 38_400


def test_every_known_total() -> None:
    assert {name: parameters(known_architecture(name)) for name in KNOWN_CONFIGS} == TOTALS


@pytest.mark.parametrize("name", KNOWN_CONFIGS)
def test_transformers_builds_the_same_parameters(name: str) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    architecture = known_architecture(name)
    config: dict[str, Any] = dict(KNOWN_CONFIGS[name])
    built = transformers.AutoConfig.for_model(config.pop("model_type"), **config)
    pooling = {"add_pooling_layer": architecture.pooler} if architecture.model_type in POOLED_TYPES else {}
    with torch.device("meta"):
        model = transformers.MODEL_MAPPING[type(built)](built, **pooling)
    shapes = {parameter: tuple(tensor.shape) for parameter, tensor in model.named_parameters()}
    assert shapes == parameter_shapes(architecture)
    assert sum(tensor.numel() for tensor in model.parameters()) == TOTALS[name]
    assert built.pad_token_id == architecture.pad_id
