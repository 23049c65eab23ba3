"""The cost of a learner: parameters, bytes, time, floating point operations, memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream.results.reading import by_task, items, number, numbers, section, text, whole

Series = tuple[float | None, ...]


@dataclass(frozen=True)
class ArrivalCost:
    """The cost up to one arrival: sums since the stream began. None means not known.

    Attributes:
        arrival, task: Number of the arrival, from 1, and the task that arrived.
        growth, growth_without_heads: Parameters kept, in multiples of the backbone.
        parameters: Parameters kept, with backbone and heads.
        bytes: Stored bytes, without the backbone.
        train_flops: Floating point operations of all training steps.
        train_seconds, evaluate_seconds: Wall clock, seconds.
        peak_memory_bytes: Highest resident memory of the training process.
    """

    arrival: int
    task: str
    growth: float | None
    growth_without_heads: float | None
    parameters: int | None
    bytes: int | None
    train_flops: float | None
    train_seconds: float | None
    evaluate_seconds: float | None
    peak_memory_bytes: int | None


@dataclass(frozen=True)
class Cost:
    """The cost of a learner. None means not known.

    Attributes:
        trained_parameters_per_task: Trained parameters without the head, by task.
        kept_parameters_per_task: Parameters kept after pruning without the head, by task.
        head_parameters_per_task: Parameters of the head, by task.
        growth, growth_without_heads: Parameters kept after each arrival, in multiples of the backbone.
        bytes_per_task: Stored bytes with the head, by task.
        train_flops: Floating point operations of all training steps.
        train_seconds, evaluate_seconds: Wall clock, seconds.
        peak_memory_bytes: Highest resident memory of the training process.
        after_each_arrival: The cost up to each arrival.
        search_fits, search_examples, search_flops, search_seconds: Cost of all fits that a learner with alternatives
            made to choose, the kept ones included; the other numbers are those of the kept ones. None for a learner
            without alternatives.
    """

    trained_parameters_per_task: Mapping[str, int]
    kept_parameters_per_task: Mapping[str, int]
    head_parameters_per_task: Mapping[str, int]
    growth: Series
    growth_without_heads: Series
    bytes_per_task: Mapping[str, int]
    train_flops: float | None
    train_seconds: float | None
    evaluate_seconds: float | None
    peak_memory_bytes: int | None
    after_each_arrival: tuple[ArrivalCost, ...]
    search_fits: int | None = None
    search_examples: int | None = None
    search_flops: float | None = None
    search_seconds: float | None = None


def read_cost(value: object, where: str) -> Cost:
    """Reads the cost of a learner in results.json.

    Args:
        value: The JSON value.
        where: Its place, for error messages.

    Raises:
        InputError: The value is damaged; the message says where.
    """
    cost = section(value, where)
    entries = items(cost.get("after_each_arrival"), where)
    return Cost(
        trained_parameters_per_task=by_task(cost.get("trained_parameters_per_task"), where),
        kept_parameters_per_task=by_task(cost.get("kept_parameters_per_task"), where),
        head_parameters_per_task=by_task(cost.get("head_parameters_per_task"), where),
        growth=numbers(cost.get("growth"), where),
        growth_without_heads=numbers(cost.get("growth_without_heads"), where),
        bytes_per_task=by_task(cost.get("bytes_per_task"), where),
        train_flops=number(cost.get("train_flops")),
        train_seconds=number(cost.get("train_seconds")),
        evaluate_seconds=number(cost.get("evaluate_seconds")),
        peak_memory_bytes=whole(cost.get("peak_memory_bytes")),
        after_each_arrival=tuple(_arrival(section(entry, where)) for entry in entries),
        search_fits=whole(cost.get("search_fits")),
        search_examples=whole(cost.get("search_examples")),
        search_flops=number(cost.get("search_flops")),
        search_seconds=number(cost.get("search_seconds")),
    )


def _arrival(entry: Mapping[str, object]) -> ArrivalCost:
    return ArrivalCost(
        arrival=whole(entry.get("arrival")) or 0,
        task=text(entry.get("task")),
        growth=number(entry.get("growth")),
        growth_without_heads=number(entry.get("growth_without_heads")),
        parameters=whole(entry.get("parameters")),
        bytes=whole(entry.get("bytes")),
        train_flops=number(entry.get("train_flops")),
        train_seconds=number(entry.get("train_seconds")),
        evaluate_seconds=number(entry.get("evaluate_seconds")),
        peak_memory_bytes=whole(entry.get("peak_memory_bytes")),
    )
