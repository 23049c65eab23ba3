"""Rows as Avalanche takes them: the rows of the engine, in minibatches of one task and of several."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from avalanche.benchmarks.utils import DataAttribute
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pad_sequence

from learners.forward.batches import collate
from stream.avalanche import TextBenchmark, houlsby26
from stream.avalanche.inputs import Inputs
from stream.avalanche.rows import Collate, avalanche_dataset


@pytest.fixture(scope="module")
def benchmark(tiny_backbone: Path, tiny_tasks: Path) -> TextBenchmark:
    suite = "sms_spam,colours,stsb"
    return houlsby26(suite=suite, source=f"folder:{tiny_tasks}", backbone=str(tiny_backbone), max_length=24)


def batches(dataset: object, size: int) -> Iterator[list[torch.Tensor]]:
    collate_fn = dataset.collate_fn  # type: ignore[attr-defined]
    return iter(torch.utils.data.DataLoader(dataset, batch_size=size, collate_fn=collate_fn))  # type: ignore[arg-type]


def test_minibatches_hold_what_the_engine_gives_its_backbone(benchmark: TextBenchmark) -> None:
    for label, each in enumerate(benchmark.tasks):
        split = each.train
        dataset = avalanche_dataset(split, each.task, label, benchmark.backbone.pad_id)
        assert len(dataset) == len(split)
        for start, (inputs, targets, labels) in enumerate(batches(dataset, 7)):
            rows = np.arange(7 * start, min(7 * start + 7, len(split)))
            ours = collate(benchmark.backbone, split, rows)
            assert {*inputs.keys()} == {*ours}
            assert all(torch.equal(inputs[name], ours[name]) for name in ours)
            assert targets.numpy().tobytes() == split.target[rows].tobytes()  # classes int64, scores float32
            assert labels.tolist() == [label] * len(rows)


def test_a_regression_is_one_class_to_avalanche(benchmark: TextBenchmark) -> None:
    of = {each.task.name: avalanche_dataset(each.test, each.task, 0, 0).targets.uniques for each in benchmark.tasks}
    assert of == {"sms_spam": {0, 1}, "colours": {0, 1, 2}, "stsb": {0}}


def test_a_minibatch_may_mix_tasks(benchmark: TextBenchmark) -> None:
    """As of a replay: parts of data sets joined, a class beside a score."""
    parts = [
        avalanche_dataset(each.train, each.task, label, 0).subset([3, 1]) for label, each in enumerate(benchmark.tasks)
    ]
    ((inputs, targets, labels),) = batches(parts[0].concat(parts[1]).concat(parts[2]), 6)
    assert labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert targets.dtype == torch.float32
    assert targets.tolist() == [float(each.train.target[row]) for each in benchmark.tasks for row in (3, 1)]
    lengths = [each.train.lengths[row] for each in benchmark.tasks for row in (3, 1)]
    assert inputs["attention_mask"].sum(1).tolist() == lengths
    assert inputs.shape == (6, max(lengths))


def test_a_row_may_be_written_into(benchmark: TextBenchmark) -> None:
    dataset = avalanche_dataset(benchmark.tasks[0].train, benchmark.tasks[0].task, 5, 0)
    row = dataset[0]
    row["labels"], row["more"] = 9, 9
    assert dataset[0]["labels"] == benchmark.tasks[0].train.target[0]
    assert {*row} - {*dataset[0]} == {"more"}


def test_what_a_strategy_writes_into_rows_comes_last(benchmark: TextBenchmark) -> None:
    dataset = avalanche_dataset(benchmark.tasks[0].train, benchmark.tasks[0].task, 0, 0)
    logits = torch.arange(2.0 * len(dataset)).reshape(-1, 2)
    dataset = dataset.update_data_attribute("logits", DataAttribute(list(logits), "logits", use_in_getitem=True))
    _, _, labels, written = next(batches(dataset, 4))
    assert labels.tolist() == [0] * 4
    assert torch.equal(written, logits[:4])


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=5), min_size=1, max_size=4), st.integers(0, 9))
def test_joined_inputs_are_those_of_all_rows_at_once(parts: list[list[int]], pad_id: int) -> None:
    """`parts`: the lengths of the rows of each."""
    draw = torch.Generator().manual_seed(0)
    rows = [[torch.randint(10, (length,), generator=draw) for length in part] for part in parts]

    def inputs(of: list[torch.Tensor]) -> Inputs:
        fills = {"input_ids": pad_id, "attention_mask": 0}
        values = {"input_ids": of, "attention_mask": [torch.ones_like(row) for row in of]}
        return Inputs(
            {name: pad_sequence(values[name], batch_first=True, padding_value=fills[name]) for name in fills}, fills
        )

    whole = inputs([row for part in rows for row in part])
    joined = torch.cat([inputs(part) for part in rows], dim=0)  # type: ignore[misc]
    assert len(joined) == joined.size(0) == sum(map(len, parts))
    assert all(torch.equal(joined[name], whole[name]) for name in whole.tensors)
    odd = torch.arange(len(whole)) % 2 == 1
    assert torch.equal(whole[odd]["input_ids"], whole["input_ids"][odd])
    assert torch.equal(whole.clone()[1:]["input_ids"], whole["input_ids"][1:])


def test_inputs_refuse_what_they_are_no_tensor_for() -> None:
    inputs = Inputs({"input_ids": torch.ones(2, 3)}, {"input_ids": 0})
    with pytest.raises(TypeError, match="Inputs"):
        torch.cat([inputs, inputs], dim=1)  # type: ignore[list-item]
    with pytest.raises(TypeError, match="Inputs"):
        torch.exp(inputs)  # type: ignore[arg-type]


def test_equal_padding_equal_collation() -> None:
    assert Collate(0) == Collate(0) != Collate(1)
