"""Batch plans and collation: every row once, the same every time, and padding that no logit can see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from learners.forward.batches import EVALUATION_TOKENS, collate, evaluation_plan, training_plan
from learners.forward.forward import logits
from learners.specification.family import parse_learner
from tasks.encoded import EncodedSplit
from tests.loaded import backbone, encoded, moved
from tests.worlds import ARCHITECTURES

lengths = st.lists(st.integers(1, 12), min_size=1, max_size=90)
sizes = st.integers(1, 40)
PAIRS = encoded("pairs", kind="pair")


def split_of(found: list[int]) -> EncodedSplit:
    n, tokens = len(found), sum(found)
    return EncodedSplit(
        np.arange(tokens, dtype=np.int32) % 20 + 5,
        np.zeros(tokens, np.uint8),
        np.cumsum([0, *found]).astype(np.int64),
        np.zeros(n, np.int64),
        np.arange(n, dtype=np.uint64),
    )


@given(lengths, sizes, st.integers(0, 5), st.integers(0, 3))
def test_every_row_exactly_once(found: list[int], size: int, seed: int, epoch: int) -> None:
    split = split_of(found)
    plan = training_plan(split, size, seed, epoch)
    for every in (plan, evaluation_plan(split, size)):
        assert sorted(np.concatenate(every.batches).tolist()) == list(range(len(found)))
    assert all(0 < len(rows) <= size for rows in plan.batches)
    assert len(plan.batches) == -(-len(found) // size), "no batch more than the rows need"


@given(lengths, sizes, st.integers(0, 40))
def test_evaluation_batches_hold_so_many_tokens(found: list[int], tokens: int, overhead: int) -> None:
    split = split_of(found)
    batches = evaluation_plan(split, tokens, overhead).batches
    assert all(len(rows) == 1 or len(rows) * int(split.lengths[rows].max()) <= tokens for rows in batches)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), sizes, st.integers(0, 40))
def test_evaluation_batches_cost_least(found: list[int], tokens: int, overhead: int) -> None:
    """Of all ways to cut the sorted rows."""

    def cost(batches: Iterable[Sequence[int]]) -> int:
        return sum(len(rows) * max(rows) + overhead for rows in batches)

    sorted_lengths, n = sorted(found), len(found)
    allowed = []
    for cuts in product((False, True), repeat=n - 1):
        borders = [0, *(place for place, cut in enumerate(cuts, start=1) if cut), n]
        batches = [sorted_lengths[start:end] for start, end in pairwise(borders)]
        if all(len(rows) == 1 or len(rows) * max(rows) <= tokens for rows in batches):
            allowed.append(cost(batches))
    split = split_of(found)
    chosen = evaluation_plan(split, tokens, overhead).batches
    assert cost(split.lengths[rows].tolist() for rows in chosen) == min(allowed)


@given(lengths, sizes)
def test_evaluation_goes_by_length_then_row(found: list[int], size: int) -> None:
    split = split_of(found)
    plan = evaluation_plan(split, size)
    assert np.concatenate(plan.batches).tolist() == sorted(range(len(found)), key=lambda row: (found[row], row))
    assert evaluation_plan(split, size).id == plan.id


@given(st.lists(st.integers(1, 12), min_size=40, max_size=90), st.integers(0, 99))
def test_training_order_is_a_function_of_seed_and_epoch(found: list[int], seed: int) -> None:
    split = split_of(found)
    ids = [training_plan(split, 2, s, e).id for s, e in ((seed, 0), (seed, 0), (seed, 1), (seed + 1, 0))]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_a_plan_is_known_by_order_and_borders() -> None:
    split = split_of([3] * 8)
    assert evaluation_plan(split, 12).id != evaluation_plan(split, 24).id
    assert evaluation_plan(split).id == evaluation_plan(split, EVALUATION_TOKENS).id
    assert evaluation_plan(split_of([3] * 7 + [2]), 12).id != evaluation_plan(split, 12).id


def test_training_batches_hold_rows_of_like_length() -> None:
    split = split_of(np.random.default_rng(0).integers(1, 60, 1000).tolist())
    plans = training_plan(split, 10, 0, 0), evaluation_plan(split, 300)
    padded, least = (sum(len(r) * int(split.lengths[r].max()) for r in plan.batches) for plan in plans)
    tokens = int(split.lengths.sum())
    assert tokens <= least <= padded < 1.1 * tokens  # unsorted, it would be some 1.8
    first = [int(split.lengths[rows].max()) for rows in plans[0].batches[:20]]
    assert first != sorted(first), "batches themselves come in random order"


@given(lengths, st.data())
def test_rows_are_padded_on_the_right(found: list[int], data: st.DataObject) -> None:
    base, split = backbone("roberta"), split_of(found)
    rows = np.array(data.draw(st.lists(st.integers(0, len(found) - 1), min_size=1, max_size=8)))
    batch = collate(base, split, rows)
    assert all(tensor.dtype == torch.int64 for tensor in batch.values())
    assert {tuple(tensor.shape) for tensor in batch.values()} == {(len(rows), max(found[row] for row in rows))}
    for i, row in enumerate(rows):
        n = found[row]
        start, stop = split.offsets[row], split.offsets[row + 1]
        assert batch["input_ids"][i, :n].tolist() == split.ids[start:stop].tolist()
        assert (batch["input_ids"][i, n:] == base.pad_id).all()
        assert batch["attention_mask"][i].tolist() == [1] * n + [0] * (len(batch["attention_mask"][i]) - n)


def test_token_types_go_to_models_that_know_them() -> None:
    """BERT and ELECTRA tell the texts of a pair apart; RoBERTa has one type, DistilBERT none."""
    for model_type in ("bert", "electra"):
        batch = collate(backbone(model_type), PAIRS.train, np.arange(4))
        for i in range(4):
            n = int(PAIRS.train.lengths[i])
            assert batch["token_type_ids"][i, :n].tolist() == [0] * (n - 4) + [1] * 4
            assert not batch["token_type_ids"][i, n:].any()
    roberta = backbone("roberta")
    published = replace(roberta, architecture=replace(roberta.architecture, types=1))
    for base in (backbone("distilbert"), published):
        assert set(collate(base, PAIRS.train, np.arange(4))) == {"input_ids", "attention_mask"}


@pytest.mark.parametrize("model_type", ARCHITECTURES)
@pytest.mark.parametrize("pooling", ["cls", "mean"])
@given(data=st.data())
@settings(max_examples=5)
def test_padding_does_not_move_logits(model_type: str, pooling: str, data: st.DataObject) -> None:
    base = backbone(model_type, pooling)
    learner = parse_learner(data.draw(st.sampled_from(["adapter:8", "adapterbias", "full"])))
    tensors = moved(base, learner, PAIRS.task).tensors
    rows = np.array(data.draw(st.permutations(range(12))))
    together = logits(base, learner, tensors, collate(base, PAIRS.train, rows))
    alone = torch.cat([logits(base, learner, tensors, collate(base, PAIRS.train, rows[i : i + 1])) for i in range(12)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
