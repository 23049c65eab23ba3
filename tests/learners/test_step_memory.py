"""The memory of a training step: on shapes as on tensors."""

from __future__ import annotations

import pytest

from learners.backbones.backbone import placed
from learners.specification.family import parse_learner
from learners.training.step_memory import kept_bytes
from tests.loaded import backbone

LEARNERS = {"adapter:4": "bert", "prefix:3": "bert", "prompt:3": "distilbert", "lora:2": "electra",
            "layernorm": "modernbert", "adapterbias": "roberta", "full:isolated": "deberta-v2"}  # fmt: skip


@pytest.mark.parametrize("learner", LEARNERS)
def test_it_is_counted_on_shapes_as_on_tensors(learner: str) -> None:
    base, parsed = backbone(LEARNERS[learner]), parse_learner(learner)
    counted = kept_bytes(placed(base, "meta"), parsed, 4, 16)
    assert counted == kept_bytes(base, parsed, 4, 16) > 0


def test_it_grows_with_the_rows_and_with_the_square_of_the_length() -> None:
    base = placed(backbone(), "meta")
    found = {(rows, length): kept_bytes(base, parse_learner("adapter:4"), rows, length)
             for rows in (4, 8) for length in (16, 32)}  # fmt: skip
    assert found[8, 16] == pytest.approx(2 * found[4, 16], rel=0.05)
    assert 2 * found[4, 16] < found[4, 32] < 4 * found[4, 16]


def test_a_frozen_encoder_keeps_next_to_nothing() -> None:
    base = placed(backbone(), "meta")
    head, adapter = (kept_bytes(base, parse_learner(name), 8, 16) for name in ("head", "adapter:4"))
    assert head < adapter / 20
