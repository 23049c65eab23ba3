"""Packs: what a slot computes depends on the shape of the pack, and not on its neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.forms.dropout import SlotNoise, by_token, dropout
from learners.forms.packed import stacked
from learners.forward.batches import collate, evaluation_plan
from learners.forward.forward import logits
from learners.forward.pack_plan import packed_plan, row_limit
from learners.forward.prepared import packed, prepared
from learners.specification.family import parse_learner
from learners.specification.packable import why_unpacked
from learners.training.predict import predict
from learners.training.predict_mixed import predict_mixed
from learners.training.predict_packed import Asked, predict_packed
from tasks.encoded import EncodedSplit
from tests.loaded import backbone, encoded, moved

# One of each form, and of what else a Delta may hold; on architectures whose forward passes differ.
PACKED = {
    "adapter:4": "bert",
    "adapter:4:depth=3": "modernbert",
    "adapterbias": "roberta",
    "bitfit": "electra",
    "compacter:4:terms=2": "distilbert",
    "head": "modernbert",
    "ia3": "bert",
    "layernorm": "roberta",
    "lora:2": "electra",
    "mam:prefix=3:parallel=4": "bert",
    "mhpa:2": "distilbert",
    "parallel:4:trained_scale=yes": "bert",
    "prefix:3": "roberta",
    "prompt:3": "bert",
    "vera:4": "modernbert",
}
ROWS, SLOTS, OUTPUTS = 4, 3, 4
SEEDS = st.integers(0, 5)


def own_pass(base: Backbone, learner: str, slots: list[tuple[int, int]]) -> list[tuple[Tensor, dict[str, Tensor]]]:
    """One pass of a pack, forward and backward. Returns the logits [B, C] of each slot and its gradients by name.

    Args:
        slots: For each slot, seeds of its Delta and of its rows.
    """
    parsed = parse_learner(learner)
    leaves, batches = [], []
    for delta, rows in slots:
        data = encoded(f"task{delta}", classes=2 + delta % 3)
        tensors = moved(base, parsed, data.task, 0.1, seed=delta).tensors
        leaves.append({name: tensor.clone().requires_grad_() for name, tensor in tensors.items()})
        batches.append(rows_of(base, rows))
    batch = {name: torch.cat([each[name] for each in batches]) for name in batches[0]}
    found = logits(base, parsed, prepared(base, packed(leaves, OUTPUTS), len(slots)), batch).unflatten(0, (-1, ROWS))
    own = [answer[:, : len(each["head.bias"])] for answer, each in zip(found, leaves, strict=True)]
    torch.autograd.backward([answer.square().sum() for answer in own])
    return [
        (answer.detach(), {name: leaf.grad for name, leaf in each.items() if leaf.grad is not None})
        for answer, each in zip(own, leaves, strict=True)
    ]


def rows_of(base: Backbone, seed: int) -> dict[str, Tensor]:
    """Rows of several lengths, padded to a common one, as the shape of a pack demands."""
    split = encoded(f"rows{seed}", kind="pair").train
    order = np.random.default_rng(seed).permutation(len(split))[:ROWS]
    batch = collate(base, split, order)
    short = 20 - batch["input_ids"].shape[1]
    fill = {"input_ids": base.pad_id}
    return {name: torch.nn.functional.pad(each, (0, short), value=fill.get(name, 0)) for name, each in batch.items()}


@pytest.mark.parametrize("learner", PACKED)
@settings(max_examples=3, deadline=None)
@given(
    others=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=2), place=st.integers(0, 2)
)
def test_a_slot_does_not_depend_on_its_neighbours(learner: str, others: list[tuple[int, int]], place: int) -> None:
    base = backbone(PACKED[learner])
    assert why_unpacked(parse_learner(learner), base.architecture) == ""
    among = [*others[:place], (1, 7), *others[place:]]
    found, expected = own_pass(base, learner, among)[place], own_pass(base, learner, [(1, 7)] * SLOTS)[0]
    assert torch.equal(found[0], expected[0])
    assert found[1].keys() == expected[1].keys()
    for name, gradient in found[1].items():
        assert torch.equal(gradient, expected[1][name]), name


@pytest.mark.parametrize("learner", PACKED)
def test_a_slot_computes_what_its_delta_alone_computes(learner: str) -> None:
    base, parsed = backbone(PACKED[learner]), parse_learner(learner)
    slots = [(0, 3), (1, 4), (2, 5)]
    for (delta, rows), (found, gradients) in zip(slots, own_pass(base, learner, slots), strict=True):
        task = encoded(f"task{delta}", classes=2 + delta % 3).task
        leaves = {n: t.clone().requires_grad_() for n, t in moved(base, parsed, task, 0.1, seed=delta).tensors.items()}
        alone = logits(base, parsed, leaves, rows_of(base, rows))
        torch.autograd.backward(alone.square().sum())
        torch.testing.assert_close(found, alone.detach(), atol=1e-5, rtol=1e-5)
        for name, leaf in leaves.items():
            if leaf.grad is not None:
                torch.testing.assert_close(gradients[name], leaf.grad, atol=1e-4, rtol=1e-4, msg=name)


@pytest.mark.parametrize("learner", ["adapter:4", "prefix:3", "layernorm", "prompt:3"])
def test_rows_of_many_tasks_in_shared_batches(learner: str) -> None:
    """Also tasks with heads of other widths, and with no row."""
    base, parsed = backbone("bert"), parse_learner(learner)
    data = [encoded(f"task{i}", classes=2 + i % 3) for i in range(5)]
    deltas = [moved(base, parsed, each.task, 0.1, seed=i) for i, each in enumerate(data)]
    splits = [each.test.select(np.arange(rows)) for each, rows in zip(data, (3, 1, 0, 16, 2), strict=True)]
    for found, delta, split in zip(predict_mixed(base, parsed, deltas, splits), deltas, splits, strict=True):
        assert found.shape == (len(split), len(delta.tensors["head.bias"]))
        if len(split):
            expected = predict(base, parsed, delta, split, evaluation_plan(split))
            np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("learner", [name for name in PACKED if name != "head"])
def test_answers_in_packs_do_not_depend_on_what_else_is_asked(learner: str) -> None:
    """Rows of other lengths, and heads of widths that go in other packs: bit for bit those of the task alone,
    in each place."""
    base, parsed = backbone(PACKED[learner]), parse_learner(learner)
    most = row_limit(base.architecture, parsed)
    asked = []
    for number, (rows, classes) in enumerate([(16, 2), (3, 6), (0, 2), (11, 3), (9, 7)]):
        data = encoded(f"task{number}", classes=classes)
        split = data.test.select(np.arange(rows))
        plan = packed_plan(split, data.task.outputs, most, SLOTS)
        asked.append(Asked(moved(base, parsed, data.task, 0.1, seed=number), split, plan))
    together, turned = predict_packed(base, parsed, asked), predict_packed(base, parsed, asked[::-1])[::-1]
    for each, found, again in zip(asked, together, turned, strict=True):
        (alone,) = predict_packed(base, parsed, [each])
        assert found.tobytes() == again.tobytes() == alone.tobytes()
        if len(each.split):
            expected = predict(base, parsed, each.delta, each.split, evaluation_plan(each.split))
            np.testing.assert_allclose(found, expected, atol=1e-5)


@given(lengths=st.lists(st.integers(2, 20), max_size=40), slots=st.integers(1, 4), outputs=st.integers(1, 40))
def test_a_packed_plan_has_each_row_once_and_fits_its_shape(lengths: list[int], slots: int, outputs: int) -> None:
    split = rows_with(lengths)
    plan = packed_plan(split, outputs, 24, slots)
    assert sorted(row for _, rows in plan.slots for row in rows) == [*range(len(lengths))]
    for shape, rows in plan.slots:
        assert 0 < len(rows) <= shape.rows
        assert split.lengths[rows].max() <= shape.length <= 24
        assert (shape.slots, outputs <= shape.outputs) == (slots, True)
    assert packed_plan(split, outputs, 24, slots).id == plan.id
    if lengths:
        assert packed_plan(split, outputs, 24, slots + 1).id != plan.id


def rows_with(lengths: list[int]) -> EncodedSplit:
    """Rows of these lengths."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    n, total = len(lengths), int(offsets[-1])
    ids, types = np.ones(total, np.int32), np.zeros(total, np.uint8)
    return EncodedSplit(ids, types, offsets, np.zeros(n, np.int64), np.arange(n))


def test_each_slot_draws_its_own_dropout() -> None:
    """As a fit by itself does: for its own rows and tokens, of all heads of a row; nothing of the rest is dropped."""
    x, heads, of = torch.ones(3 * 4 * 2, 6, 6), 2, 4  # three slots of four rows, each row with two heads
    cases = ((3, 4, 0), (1, 2, 1), (2, 0, 6))  # seed, rows, padding; an empty slot has no rows
    slots = [SlotNoise(torch.Generator().manual_seed(seed), rows, of, padding) for seed, rows, padding in cases]
    found = dropout(x, 0.4, slots, tokens=(1, 2))
    for part, (seed, rows, padding) in zip(found.split(of * heads), cases, strict=True):
        own = part[: rows * heads, : 6 - padding, : 6 - padding]
        expected = dropout(torch.ones(own.shape), 0.4, [torch.Generator().manual_seed(seed)]) if rows else own
        assert torch.equal(own, expected)
        assert (part == 0).sum() == (own == 0).sum()
    assert not torch.equal(found[:8], found[8:16])
    assert dropout(x, 0.4, ()) is x, "no generator, no dropout"


@pytest.mark.parametrize("heads", [None, 2])
def test_a_form_drops_by_token_as_in_the_fit_by_itself(heads: int | None) -> None:
    """What a form computes of each token: [K, B S, l], in each head [K, N_h, B S, l]."""
    of, length, width = 3, 5, 4
    cases = ((3, 3, 0), (1, 2, 2))
    slots = [SlotNoise(torch.Generator().manual_seed(seed), rows, of, padding) for seed, rows, padding in cases]
    between = () if heads is None else (heads,)
    found = by_token(torch.ones(2, *between, of * length, width), 0.4, slots)
    with pytest.raises(ValueError, match="by_token"):
        dropout(torch.ones(2, *between, of * length, width), 0.4, slots)
    for part, (seed, rows, padding) in zip(found, cases, strict=True):
        by_row = part.view(*between, of, length, width).movedim(len(between), 0)  # [B, N_h, S, l]
        own = by_row[:rows].narrow(-2, 0, length - padding)
        assert torch.equal(own, by_token(torch.ones(own.shape), 0.4, [torch.Generator().manual_seed(seed)]))


def test_a_vector_is_stacked_for_broadcasting_over_tokens() -> None:
    found = stacked([{"v": torch.ones(3), "m": torch.ones(2, 3), "s": torch.ones(1)} for _ in range(5)])
    assert {name: tuple(each.shape) for name, each in found.items()} == {"v": (5, 1, 3), "m": (5, 2, 3), "s": (5, 1, 1)}


@pytest.mark.parametrize(
    ("learner", "model_type", "why"),
    [
        ("full:isolated", "bert", "own matrices"),
        ("topk:1", "bert", "own matrices"),
        ("diffpruning", "bert", "own matrices"),
        ("adapter:4", "deberta-v2", "relative positions"),
        ("majority", "bert", "trains no model"),
        ("nobert:words", "bert", "reads the words"),
    ],
)
def test_what_runs_alone_says_why(learner: str, model_type: str, why: str) -> None:
    assert why in why_unpacked(parse_learner(learner), backbone(model_type).architecture)
