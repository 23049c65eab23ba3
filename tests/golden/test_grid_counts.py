"""He et al. 2022, appendix B, Tables 10 and 11: parameters of the grid as formulas, and the shares that they print.

The paper counts matrices alone: biases of bottlenecks (d + m a site), norms, the MLP of a prefix and heads are left
out. Shares are of BART-large, 406,291,456 parameters, whose layers are pairs of an encoder's and a decoder's, three
attention sub-layers and two FFNs in each of twelve; printed cut off to one digit.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learners.backbones.architecture import Architecture
from learners.backbones.published import known_architecture
from learners.delta.layout import delta_shapes
from learners.specification.family import parse_learner

BART_LARGE = 406_291_456
BASE = known_architecture("roberta-base")
SIZES = st.integers(1, 200)


def matrices(specification: str, architecture: Architecture = BASE) -> int:
    """Scalars of all that is added, biases left out."""
    shapes = delta_shapes(parse_learner(specification), architecture, 2)
    return sum(math.prod(s) for name, s in shapes.items() if name.startswith("added.") and not name.endswith("bias"))


@given(SIZES)
def test_an_attention_sub_layer(size: int) -> None:
    """Prefix 2ld, adapter 2rd, LoRA 4rd."""
    layers, d = BASE.layers, BASE.hidden
    assert matrices(f"prefix:{size}") == layers * 2 * size * d
    assert matrices(f"mhpa:{size}") == layers * 2 * size * d
    assert matrices(f"parallel:{size}:where=attention") == layers * 2 * size * d
    assert matrices(f"adapter:{size + 1}:where=attention:norms=no") == layers * 2 * (size + 1) * d
    assert matrices(f"lora:{size}") == layers * 4 * size * d


@given(SIZES)
def test_an_ffn_sub_layer(size: int) -> None:
    """Adapter 2rd, LoRA 2 (rd + 4dr) = 10rd."""
    layers, d = BASE.layers, BASE.hidden
    assert matrices(f"parallel:{size}") == layers * 2 * size * d
    assert matrices(f"pfeiffer:{size}") == layers * 2 * size * d
    assert matrices(f"lora-ffn:{size}") == layers * 10 * size * d


@given(SIZES, SIZES)
def test_prompt_and_mam(length: int, size: int) -> None:
    """Prompt ld; MAM 2ld N_attn L + 2rd N_ffn L."""
    layers, d = BASE.layers, BASE.hidden
    assert matrices(f"prompt:{length}") == length * d
    expected = 2 * length * d * layers + 2 * size * d * layers
    assert matrices(f"mam:prefix={length}:parallel={size}") == expected
    assert matrices(f"prefix:{length}+parallel:{size}:scale=4") == expected


@pytest.mark.parametrize(
    "specification", ["prefix:32", "parallel:32", "pfeiffer:32", "lora:16", "mam:prefix=16:parallel=16"]
)
def test_half_a_percent_of_roberta(specification: str) -> None:
    """Table 2's "0.5%" on RoBERTa-base is one number: 589,824."""
    assert matrices(specification) == 589_824


# What is in a layer -> count, share in percent as printed. BERT-large has BART-large's d and d_ff, and 24 layers.
ATTENTION, FFN = 3 * 12, 2 * 12
BART = [
    ("prefix:200", ATTENTION, 14_745_600, 3.6),
    ("parallel:200:where=attention", ATTENTION, 14_745_600, 3.6),
    ("adapter:200:where=attention:norms=no", ATTENTION, 14_745_600, 3.6),
    ("prefix:512", ATTENTION, 37_748_736, 9.2),
    ("parallel:512:where=attention", ATTENTION, 37_748_736, 9.2),
    ("parallel:200", FFN, 9_830_400, 2.4),
    ("adapter:200:where=ffn:norms=no", FFN, 9_830_400, 2.4),
    ("parallel:512", FFN, 25_165_824, 6.1),
    ("parallel:1024", FFN, 50_331_648, 12.3),
    ("lora:200", ATTENTION, 29_491_200, 7.2),
    ("pfeiffer:600", FFN, 29_491_200, 7.2),
    ("lora-ffn:102", FFN, 25_067_520, 6.1),
    ("prefix:30", ATTENTION, 2_211_840, 0.5),  # Table 4 prints 0.1
    ("parallel:30", FFN, 1_474_560, 0.3),  # and so here
]


def in_bart(specification: str, sub_layers: int) -> int:
    large = known_architecture("bert-large")
    return matrices(specification, large) // large.layers * sub_layers


@pytest.mark.parametrize(("specification", "sub_layers", "count", "share"), BART)
def test_shares_of_bart_large(specification: str, sub_layers: int, count: int, share: float) -> None:
    assert in_bart(specification, sub_layers) == count
    assert math.floor(1000 * count / BART_LARGE) / 10 == share


@pytest.mark.parametrize(("ffn", "count"), [("parallel:512", 27_377_664), ("lora-ffn:102", 27_279_360)])
def test_what_is_joined_in_bart_large(ffn: str, count: int) -> None:
    """MAM of l = 30 and r = 512, and its like with LoRA: both 6.7 in Table 6."""
    assert in_bart("prefix:30", ATTENTION) + in_bart(ffn, FFN) == count
    assert math.floor(1000 * count / BART_LARGE) / 10 == 6.7
