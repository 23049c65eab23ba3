"""Batch plans: which rows form each batch.

A plan is fixed and has an id, so that an evaluation can be repeated bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from learners.backbones.backbone import Backbone
from learners.device import to_device
from tasks.content import content_id
from tasks.encoded import EncodedSplit
from tasks.seeds import seed_of

if TYPE_CHECKING:
    from torch import Tensor

# A small batch stays in the cache of a core. But each batch costs some milliseconds in many small calls: as much as 100
# to 250 tokens on the embedded encoder, 50 to 100 on MiniLM. We measured 1,024 and 1,536 tokens with overheads of 48 to
# 256. These values were the best or close to it. Batches that are always filled are up to a sixth slower.
EVALUATION_TOKENS = 1536  # maximum size of an evaluation batch, padding included
BATCH_OVERHEAD = 128  # cost of one batch, in tokens
BUCKET = 50  # training batches per bucket; a bucket is sorted by length. 50 keeps padding low and batches random


@dataclass(frozen=True, eq=False)
class Plan:
    """Batches of row indices, in order."""

    batches: tuple[np.ndarray, ...]

    @cached_property
    def id(self) -> str:
        """Content id over the order of the rows and the batch boundaries."""
        return content_id("plan", *(rows.astype("<i8").tobytes() for rows in self.batches))


def evaluation_plan(split: EncodedSplit, tokens: int = EVALUATION_TOKENS, overhead: int = BATCH_OVERHEAD) -> Plan:
    """Sort rows by length, then by index, and cut them into batches of minimal total cost. Deterministic.

    The cost of a batch is its number of tokens, padding included, plus `overhead`. Dynamic programming finds the
    minimum. Between cuts of equal cost it takes the earliest.

    Args:
        tokens: Maximum number of tokens of a batch, padding included. A longer row is a batch of its own.
        overhead: Fixed cost of a batch, in tokens.
    """
    order = np.argsort(split.lengths, kind="stable")
    lengths, places = split.lengths[order].astype(np.int64), np.arange(len(order), dtype=np.int64)
    least = np.zeros(len(order) + 1, dtype=np.int64)  # least[i]: minimal cost of the first i rows
    begins = np.zeros(len(order) + 1, dtype=np.int64)  # begins[i]: first row of their last batch
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
    """Random batches of rows of similar length.

    Shuffles the rows, sorts them by length within buckets of 50 batches, and shuffles the batches.

    Args:
        seed: Seed of the fit; each epoch derives its own.
        epoch: Epoch, from 0.
    """
    return shuffled_plan(split.lengths, batch_size, seed, epoch)


def shuffled_plan(lengths: np.ndarray, batch_size: int, seed: int, epoch: int) -> Plan:
    """As `training_plan`, for rows with these lengths [n]."""
    random = np.random.default_rng(seed_of(seed, "epoch", str(epoch)))
    order = random.permutation(len(lengths))
    span = batch_size * BUCKET
    batches: list[np.ndarray] = []
    for start in range(0, len(order), span):
        bucket = order[start : start + span]
        bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
        batches += [bucket[i : i + batch_size] for i in range(0, len(bucket), batch_size)]
    return Plan(tuple(batches[i] for i in random.permutation(len(batches))))


def collate(backbone: Backbone, split: EncodedSplit, rows: np.ndarray, length: int | None = None) -> dict[str, Tensor]:
    """Inputs of the backbone for some rows, padded to one length.

    Args:
        rows: Indices of the rows in the split, [B].
        length: Number of tokens S of each row, padding included. Default: None, that of the longest row.

    Returns:
        `input_ids`, `attention_mask` and, if the backbone takes them, `token_type_ids`: int64 [B, S].
    """
    lengths = split.lengths[rows]
    shape = (len(rows), int(lengths.max()) if length is None else length)
    ids = np.full(shape, backbone.pad_id, dtype=np.int64)
    types = np.zeros(shape, dtype=np.int64)
    for i, row in enumerate(rows):
        start, stop = split.offsets[row], split.offsets[row + 1]
        ids[i, : stop - start] = split.ids[start:stop]
        types[i, : stop - start] = split.types[start:stop]
    mask = (np.arange(shape[1]) < lengths[:, None]).astype(np.int64)
    arrays = {"input_ids": ids, "attention_mask": mask}
    if backbone.architecture.types > 1:
        arrays["token_type_ids"] = types
    return {name: to_device(array, backbone.device) for name, array in arrays.items()}
