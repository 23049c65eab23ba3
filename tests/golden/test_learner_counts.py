"""Parameters of every learner on published encoders, exact, and what a stream of tasks then costs.

All follow from closed formulas, head left out: a layer 4(d²+d) + 4d + 2·d·ff + ff + d; norms 4Ld + 2d; Houlsby adapters
2L(2md + d + m); AdapterBias L(d + ff + 1 + 2d); prefixes 2Lld; LoRA 4Lrd beside W_q and W_v; BitFit 11Ld where
ff = 4d; IA3 L(2d + ff); Compacter n³ + 2L(3d + 3m); VeRA 2L(r + d). Printed by Houlsby et al. 2019 (sections 3.2 to
3.4): 9×, 17×, 40k for the norms, 3.6 % and 2.1 % for adapters on BERT-large; by Fu et al. 2022 (AdapterBias): 0.06 M
and 0.17 M.
"""

from __future__ import annotations

import re

import pytest

from learners.backbones.architecture import encoder_parameters, parameters
from learners.backbones.published import known_architecture
from learners.specification.family import families, parse_learner
from stream.results.cost_document import account
from stream.results.growth import growth, task_cost
from tasks.suite import SUITES, TASKS

BACKBONES = ("bert-base-uncased", "bert-large-uncased", "roberta-base")
COUNTS = {
    "full": (109_482_240, 335_141_888, 124_645_632),
    "topk:1": (7_087_872, 12_596_224, 7_087_872),
    "topk:1:pooler=yes": (7_678_464, 13_645_824, 7_678_464),
    "topk:3": (21_263_616, 37_788_672, 21_263_616),
    "topk:12": (85_054_464, 151_154_688, 85_054_464),
    "layernorm:embeddings=no": (36_864, 98_304, 36_864),
    "layernorm": (38_400, 100_352, 38_400),
    "adapter:2:norms=no": (92_208, 245_856, 92_208),
    "adapter:2": (130_608, 346_208, 130_608),
    "adapter:8:norms=no": (313_536, 835_968, 313_536),
    "adapter:8": (351_936, 936_320, 351_936),
    "adapter:16:norms=no": (608_640, 1_622_784, 608_640),
    "adapter:16": (647_040, 1_723_136, 647_040),
    "adapter:32:norms=no": (1_198_848, 3_196_416, 1_198_848),
    "adapter:32": (1_237_248, 3_296_768, 1_237_248),
    "adapter:64:norms=no": (2_379_264, 6_343_680, 2_379_264),
    "adapter:64": (2_417_664, 6_444_032, 2_417_664),
    "adapter:128:norms=no": (4_740_096, 12_638_208, 4_740_096),
    "adapter:128": (4_778_496, 12_738_560, 4_778_496),
    "adapter:256:norms=no": (9_461_760, 25_227_264, 9_461_760),
    "adapter:256": (9_500_160, 25_327_616, 9_500_160),
    "adapterbias": (64_524, 172_056, 64_524),
    "adapterbias:embedding_norm=yes": (66_060, 174_104, 66_060),
    "adapterbias:share=v": (56_076, 148_504, 56_076),
    "adapterbias:share=alpha": (30_721, 77_825, 30_721),
    "adapterbias:share=both": (22_273, 54_273, 22_273),
    "bitfit:biases=layers": (101_376, 270_336, 101_376),
    "bitfit": (102_912, 272_384, 102_912),
    "bitfit:biases=q-m2": (46_080, 122_880, 46_080),
    "bitfit:biases=q-m2:pooler=yes": (46_848, 123_904, 46_848),  # and d
    "prefix:16": (294_912, 786_432, 294_912),
    "prefix:16:gate=no": (294_912, 786_432, 294_912),
    "prefix:30": (552_960, 1_474_560, 552_960),
    "prefix:200": (3_686_400, 9_830_400, 3_686_400),
    "parallel:16": (304_320, 811_392, 304_320),
    "parallel:16:where=attention-output": (304_320, 811_392, 304_320),
    "parallel:16:where=attention:inner_norm=input": (322_752, 860_544, 322_752),  # and 2Ld
    "parallel:16:trained_scale=yes": (304_332, 811_416, 304_332),  # and L
    "adapter:16:where=ffn:norms=no": (304_320, 811_392, 304_320),
    "pfeiffer:16": (304_320, 811_392, 304_320),
    "mhpa:16": (294_912, 786_432, 294_912),
    "lora:8": (294_912, 786_432, 294_912),
    "lora:8:trained_scale=yes": (294_936, 786_480, 294_936),  # and 2L
    "lora:16": (589_824, 1_572_864, 589_824),
    "lora-ffn:8": (737_280, 1_966_080, 737_280),
    "mam:prefix=16:parallel=16": (599_232, 1_597_824, 599_232),
    "prefix:16+parallel:16:scale=2": (599_232, 1_597_824, 599_232),
    "adapterbias+adapter:64": (2_463_756, 6_566_936, 2_463_756),  # v, L_α; adapters; every norm once
    "adapterbias+layernorm": (84_492, 223_256, 84_492),
    "prompt:20+lora:8": (310_272, 806_912, 310_272),
    "prompt:20": (15_360, 20_480, 15_360),
    "ia3": (55_296, 147_456, 55_296),
    "vera:1024": (43_008, 98_304, 43_008),
    "vera:256": (24_576, 61_440, 24_576),
    "head": (0, 0, 0),
    "avalanche:ewc": (109_482_240, 335_141_888, 124_645_632),
    "feature:4": (0, 0, 0),
    "diffpruning:0.005": (547_411, 1_675_709, 623_228),  # 0.005 of the model, to the nearest scalar
    "majority": (0, 0, 0),
    # At most, on any backbone: 2 x 16,384 x (1 + 2) n-grams, 2 x 5 of pairs, 16,384 x 64 word vectors, 2 x 261 on top,
    # and a network 261 -> 64 -> 2 whose last bias is the head.
    "nobert": (1_164_308,) * 3,
    "nobert:words": (49_162,) * 3,
}
ADDITIONAL = [TASKS[name].outputs for name in SUITES["additional17"]]
GLUE = [TASKS[name].outputs for name in SUITES["glue9"]]


# Of a bottleneck that follows the width: d/16 and d/32.
BY_WIDTH = {
    "pfeiffer:48": ("bert-base", 894_528),
    "pfeiffer:64": ("bert-large", 3_171_840),
    "compacter:24": ("bert-base", 57_088),
    "compacter:32": ("bert-large", 152_128),
}


@pytest.mark.parametrize("specification", BY_WIDTH)
def test_parameters_of_a_share_of_the_width(specification: str) -> None:
    backbone, expected = BY_WIDTH[specification]
    assert task_cost(parse_learner(specification), known_architecture(backbone), 2).without_head == expected


@pytest.mark.parametrize("specification", COUNTS)
@pytest.mark.parametrize("index", range(3), ids=BACKBONES)
def test_parameters_per_task(specification: str, index: int) -> None:
    cost = task_cost(parse_learner(specification), known_architecture(BACKBONES[index]), outputs=2)
    assert cost.without_head == COUNTS[specification][index]


def test_every_family_is_counted() -> None:
    counted = {re.split("[:+]", specification)[0] for specification in (*COUNTS, *BY_WIDTH)}
    assert counted == set(families()) - {"peft"}  # whose configurations count for themselves


@pytest.mark.parametrize("specification", [s for s in COUNTS if s.split(":")[0] not in ("majority", "nobert")])
def test_heads_have_their_own_column(specification: str) -> None:
    """C(d + 1): 1,538 of two classes on base models, 769 for regression, 120,733 of 157 classes."""
    learner, architecture = parse_learner(specification), known_architecture("bert-base")
    heads = {outputs: task_cost(learner, architecture, outputs).head for outputs in (1, 2, 3, 157)}
    if specification == "feature:4":
        assert heads == {c: c * (4 * 768 + 1) for c in (1, 2, 3, 157)}
    else:
        assert heads == {1: 769, 2: 1_538, 3: 2_307, 157: 120_733}


def test_what_is_tuned_and_what_is_added() -> None:
    base = known_architecture("bert-base")
    adapter, bias = (task_cost(parse_learner(name), base, 2) for name in ("adapter:64", "adapterbias"))
    assert (adapter.added, adapter.tuned) == (2_379_264, 38_400)
    assert (bias.added, bias.tuned) == (46_092, 18_432)


@pytest.mark.parametrize(
    ("specification", "backbone", "outputs", "expected"),
    [
        ("full", "bert-large", GLUE, 9.0),
        ("full", "bert-base", ADDITIONAL, 17.0),
        ("adapter:64", "bert-large", GLUE, 1 + 9 * 6_444_032 / 335_141_888),
        ("topk:3", "bert-base", ADDITIONAL, 1 + 17 * 21_263_616 / 109_482_240),
        ("full:sequential", "bert-large", GLUE, 1.0),
        ("topk:3:sequential", "bert-base", GLUE, 1.0),
        ("layernorm:sequential", "bert-base", GLUE, 1.0),
        ("adapter:64:sequential", "bert-base", GLUE, 1 + 2_379_264 / 109_482_240),
        ("bitfit:sequential", "bert-base", GLUE, 1.0),
        ("lora:8:sequential", "bert-base", GLUE, 1 + 294_912 / 109_482_240),
        # A is of the first task, a B of each
        ("lora:8:frozen-shared", "bert-base", GLUE, 1 + (147_456 + 9 * 147_456) / 109_482_240),
    ],
)
def test_growth_without_heads(specification: str, backbone: str, outputs: list[int], expected: float) -> None:
    learner, architecture = parse_learner(specification), known_architecture(backbone)
    costs = [task_cost(learner, architecture, width) for width in outputs]
    grown = growth(learner, parameters(architecture), costs, heads=False)
    assert len(grown) == len(outputs)
    assert grown[-1] == pytest.approx(expected, abs=1e-12)


def test_adapters_on_bert_large_need_1_173_models_for_glue() -> None:
    """Houlsby et al. print 1.2× and 2.1 %, which is adapters alone over the encoder alone."""
    architecture = known_architecture("bert-large")
    learner = parse_learner("adapter:64")
    costs = [task_cost(learner, architecture, width) for width in GLUE]
    assert growth(learner, parameters(architecture), costs, heads=False)[-1] == pytest.approx(1.173, abs=5e-4)
    assert costs[0].added / encoder_parameters(architecture) == pytest.approx(0.0210, abs=5e-5)
    assert costs[0].without_head / parameters(architecture) == pytest.approx(0.01923, abs=5e-6)


# specification -> growth over the 17 additional tasks on BERT-base, without heads and with their 191,481 parameters
STREAM = {
    "adapterbias": (1.0100, 1.0118),
    "layernorm": (1.0060, 1.0077),
    "adapter:64": (1.3754, 1.3772),
    "adapter:8": (1.0546, 1.0564),
    "bitfit": (1.0160, 1.0177),
    "lora:8": (1.0458, 1.0475),
    "full": (17.0, 17.0017),
    "head": (1.0, 1.0017),
}


def test_stream_of_seventeen_tasks() -> None:
    outputs = {name: TASKS[name].outputs for name in SUITES["additional17"]}
    assert sum(outputs.values()) == 249
    learners = {specification: parse_learner(specification) for specification in STREAM}
    document = account("bert-base-uncased", known_architecture("bert-base"), learners, outputs)
    assert document["tasks"] == 17
    assert document["backbone"]["parameters"] == 109_482_240
    for specification, (without, including) in STREAM.items():
        found = document["learners"][specification]
        assert found["growth_without_heads"] == pytest.approx(without, abs=5.1e-5)
        assert found["growth"] == pytest.approx(including, abs=5.1e-5)
        assert sum(found["head_parameters"].values()) == 191_481
        assert found["share_of_model"] == found["parameters_per_task"] / 109_482_240
        assert found["share_of_encoder"] == found["parameters_per_task"] / 85_054_464
