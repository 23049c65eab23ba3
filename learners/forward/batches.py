"""Batch plans: which rows go together, fixed and with an id, so that a score can be had again bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from learners.backbones.backbone import Backbone
from tasks.content import content_id
from tasks.encoded import EncodedSplit
from tasks.seeds import seed_of

# Of a batch in evaluation, padding included. Small batches stay in a core's cache, but each costs some milliseconds in
# many small calls: on the embedded encoder as much as 100 to 250 tokens, on MiniLM as 50 to 100. Of 1,024 and 1,536
# tokens, and overheads of 48 to 256, these were best, or nearly; batches that are filled are a sixth slower at most.
EVALUATION_TOKENS = 1536
BATCH_OVERHEAD = 128
BUCKET = 50  # training batches sorted by length together: 50 keeps padding low and batches random


@dataclass(frozen=True, eq=False)
class Plan:
    """Batches of row indices, in order."""

    batches: tuple[np.ndarray, ...]

    @cached_property
    def id(self) -> str:
        """Content id over row order and batch boundaries."""
        return content_id("plan", *(rows.astype("<i8").tobytes() for rows in self.batches))


def evaluation_plan(split: EncodedSplit, tokens: int = EVALUATION_TOKENS, overhead: int = BATCH_OVERHEAD) -> Plan:
    """Rows sorted by length, then by index, cut into the batches that cost least: always the same.

    A batch costs its tokens, padding included, and what any batch costs beside; the least sum over all batches is found
    from the first row on. Of several cuts of equal cost the earliest is taken.

    Args:
        tokens: Most of a batch, unless a single row has more.
        overhead: Cost of a batch, in tokens.
    """
    order = np.argsort(split.lengths, kind="stable")
    lengths, places = split.lengths[order].astype(np.int64), np.arange(len(order), dtype=np.int64)
    least = np.zeros(len(order) + 1, dtype=np.int64)  # cost of the first so many rows
    begins = np.zeros(len(order) + 1, dtype=np.int64)  # where their last batch begins
    for end in range(1, len(order) + 1):
        longest = lengths[end - 1]
        first = min(max(0, end - tokens // longest), end - 1)
        costs = least[first:end] + longest * (end - places[first:end])
        begin = int(costs.argmin())
        least[end], begins[end] = costs[begin] + overhead, first + begin
    batches, end = [], len(order)
    while end:
        batches.append(order[begins[end] : end])
        end = int(begins[end])
    return Plan(tuple(reversed(batches)))


def training_plan(split: EncodedSplit, batch_size: int, seed: int, epoch: int) -> Plan:
    """Random batches of rows of like length: shuffle, sort within buckets of 50 batches, shuffle the batches."""
    return shuffled_plan(split.lengths, batch_size, seed, epoch)


def shuffled_plan(lengths: np.ndarray, batch_size: int, seed: int, epoch: int) -> Plan:
    """`training_plan` of rows of these lengths [n], whichever they are."""
    random = np.random.default_rng(seed_of(seed, "epoch", str(epoch)))
    order = random.permutation(len(lengths))
    span = batch_size * BUCKET
    batches: list[np.ndarray] = []
    for start in range(0, len(order), span):
        bucket = order[start : start + span]
        bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
        batches += [bucket[i : i + batch_size] for i in range(0, len(bucket), batch_size)]
    return Plan(tuple(batches[i] for i in random.permutation(len(batches))))


def collate(backbone: Backbone, split: EncodedSplit, rows: np.ndarray) -> dict[str, Tensor]:
    """The backbone's inputs for some rows, padded to the longest of them: int64 tensors [B, S]."""
    lengths = split.lengths[rows]
    shape = (len(rows), int(lengths.max()))
    ids = np.full(shape, backbone.pad_id, dtype=np.int64)
    types = np.zeros(shape, dtype=np.int64)
    for i, row in enumerate(rows):
        start, stop = split.offsets[row], split.offsets[row + 1]
        ids[i, : stop - start] = split.ids[start:stop]
        types[i, : stop - start] = split.types[start:stop]
    mask = (np.arange(shape[1]) < lengths[:, None]).astype(np.int64)
    batch = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
    if backbone.architecture.types > 1:
        batch["token_type_ids"] = torch.from_numpy(types)
    return batch
