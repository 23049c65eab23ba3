"""Sizes of the benchmark: about 15 minutes on two cores by default, about three minutes with `--quick`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmark.methods import LEARNERS


@dataclass(frozen=True)
class Sizes:
    """Sizes of all parts.

    Attributes:
        square: n of the square matrix product [n, n] x [n, n] in part limit.
        copied: Bytes that part limit copies; more than any cache holds.
        learners: Learners of parts a and f.
        task: Task of parts a, e and f: sentence pairs with two classes.
        examples, epochs: Training examples and epochs of part a. With five epochs, storing the outputs of frozen layers
            saves time.
        batch_size, max_length: Rows per batch and tokens per row, in all parts.
        counts: Numbers of past tasks in part b.
        suite, stream_examples, stream_epochs: Suite, training examples per task and epochs of parts c and d; part i has
            the first two.
        test_examples: Test examples per task in parts b, c and d.
        orders: Number of orders in part d.
        scored_tasks, scored_learners: Tasks and learners of part g. A few hundred examples are enough for these tasks.
        scored_examples, scored_test_examples, scored_epochs, seeds: Sizes of part g.
        served: Number of tasks of part h.
        repetitions: How often each contender runs in parts limit, a, b, f and h, in turn with the others.
        stream_repetitions, starts: The same for parts c and i (fits), and for part e.
    """

    square: int = 2048
    copied: int = 1 << 28
    learners: tuple[str, ...] = LEARNERS
    task: str = "qnli"
    examples: int = 128
    epochs: int = 5
    batch_size: int = 16
    max_length: int = 64
    counts: tuple[int, ...] = (5, 10, 26, 100)
    suite: str = "houlsby26"
    stream_examples: int = 64
    stream_epochs: int = 2
    test_examples: int = 40
    orders: int = 10
    scored_tasks: tuple[str, ...] = ("sst2", "news_aggregator")
    scored_learners: tuple[str, ...] = ("full", "layernorm", "adapter", "lora:8")
    scored_examples: int = 200
    scored_test_examples: int = 200
    scored_epochs: int = 3
    seeds: int = 3
    served: int = 200
    repetitions: int = 3
    stream_repetitions: int = 1
    starts: int = 3


FULL = Sizes()
QUICK = replace(
    FULL,
    copied=1 << 26,
    learners=("full", "topk:1", "lora:8"),
    examples=32,
    epochs=3,
    counts=(5, 10),
    suite="cola,sst2,rte,sms_spam,news_aggregator",
    stream_examples=32,
    stream_epochs=1,
    test_examples=20,
    orders=3,
    scored_tasks=("sst2",),
    scored_learners=("layernorm",),
    scored_examples=64,
    scored_test_examples=40,
    seeds=2,
    served=20,
    repetitions=2,
    starts=1,
)
