"""Batch plans: which rows go together, fixed and with an id, so that a score can be had again bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from learners.backbone import Backbone
from learners.seeds import seed_of
from tasks.content import content_id
from tasks.encoded import EncodedSplit

# Of a batch in evaluation, padding included. Rows are sorted by length, so small batches carry little padding and stay
# in a core's cache, but each costs some milliseconds in many small calls. Of 512 to 2,048 this was best, or nearly, for
# the embedded encoder and MiniLM, and up to 1.14 times as fast as batches of 64 rows.
EVALUATION_TOKENS = 1536
BUCKET = 50  # training batches sorted by length together: 50 keeps padding low and batches random


@dataclass(frozen=True, eq=False)
class Plan:
    """Batches of row indices, in order."""

    batches: tuple[np.ndarray, ...]

    @cached_property
    def id(self) -> str:
        """Content id over row order and batch boundaries."""
        return content_id("plan", *(rows.astype("<i8").tobytes() for rows in self.batches))


def evaluation_plan(split: EncodedSplit, tokens: int = EVALUATION_TOKENS) -> Plan:
    """Rows sorted by length, then by index, in batches of so many tokens or a single row: always the same."""
    batches: list[list[int]] = []
    for row in np.argsort(split.lengths, kind="stable"):
        if not batches or (len(batches[-1]) + 1) * int(split.lengths[row]) > tokens:
            batches.append([])
        batches[-1].append(int(row))
    return Plan(tuple(np.array(rows) for rows in batches))


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
