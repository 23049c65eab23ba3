"""Sizes of a comparison of two revisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmark.methods import LEARNERS

# One learner of peft, and one of Avalanche: our training loop does not train the latter.
LIBRARIES = ("peft:{peft_type=LORA,r=8,target_modules=[query,value]}", "avalanche:naive")
DEFAULT = (*LEARNERS, *LIBRARIES)

# The runs of scripts/demo, and of scripts/demo --quick, on the default source: earlier revisions know no difficulty.
DEMO_SIZES: Mapping[str, int] = {
    "train_examples": 100,
    "test_examples": 30,
    "epochs": 4,
    "batch_size": 8,
    "max_length": 32,
}
DEMOS: Mapping[str, Mapping[str, Any]] = {
    "full": {
        "suite": "houlsby26",
        "learners": "full:isolated,full:sequential,topk:1,adapter:8,head,majority",
        **DEMO_SIZES,
    },
    "quick": {
        "suite": "sst2,cf_airline,cf_corporate,cf_disasters,news_aggregator,sms_spam",
        "learners": "full:isolated,full:sequential,adapter:8,head,majority",
        **DEMO_SIZES,
    },
}


@dataclass(frozen=True)
class Sizes:
    """Sizes of all parts. Each part runs in turn on both revisions: many short turns are better than few long ones,
    because other load on the machine changes from one second to the next.

    Attributes:
        task: Task of parts step, evaluation and start. The texts of sst2 have 16 tokens in the mean.
        batch_size, max_length: Rows per training batch, and tokens per row.
        steps, epochs: Steps per epoch and timed epochs of part step.
        rows, passes: Rows and timed passes of part evaluation.
        repetitions: Repetitions of parts step and evaluation.
        starts: Repetitions of parts start and again.
        demos: Repetitions of part demo.
        demo: Settings of part demo.
        finished: Settings of the finished run of part again.
    """

    task: str = "sst2"
    batch_size: int = 16
    max_length: int = 64
    steps: int = 8
    epochs: int = 1
    rows: int = 400
    passes: int = 1
    repetitions: int = 11
    starts: int = 3
    demos: int = 2
    demo: Mapping[str, Any] = field(default_factory=lambda: DEMOS["quick"])
    finished: Mapping[str, Any] = field(
        default_factory=lambda: {"suite": "glue9", "learners": "full:sequential,adapter,head", "train_examples": 16,
                                 "test_examples": 16, "epochs": 1, "batch_size": 16, "max_length": 40}
    )  # fmt: skip
