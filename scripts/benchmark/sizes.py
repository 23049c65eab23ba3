"""How much is measured: by default a quarter of an hour on two cores, with `--quick` some three minutes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmark.methods import LEARNERS


@dataclass(frozen=True)
class Sizes:
    """Sizes of all parts.

    Attributes:
        square: n of the matrix product [n, n] x [n, n] that is taken for the machine's best.
        copied: Bytes that are copied to measure memory; more than any cache holds.
        learners: Of training and of what is kept.
        task: The task on which training is timed; sentence pairs of two classes.
        examples, epochs: Of that training; over five epochs it pays to keep what frozen layers compute.
        batch_size, max_length: Of all parts.
        counts: Numbers of past tasks that are evaluated again.
        suite, stream_examples, stream_epochs: Of whole streams, of every task.
        test_examples: Of every task in re-evaluation and streams.
        orders: Of the study of orders.
        scored_tasks, scored_learners: Of the comparison of scores; tasks on which some hundred examples tell something.
        scored_examples, scored_test_examples, scored_epochs, seeds: The same.
        repetitions: How often each contender runs, in turn with the others.
        stream_repetitions, starts: The same, of whole streams and of cold starts.
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
    repetitions=2,
    starts=1,
)
