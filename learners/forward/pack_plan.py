"""Shapes of packs, and packed plans: which rows of a task are in one slot of a pack.

A packed plan depends on the rows of its task, and on the shape of the pack; which slots of other tasks go through the
encoder at the same time does not matter. So it has an id, as the plans of `learners.forward.batches` have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from learners.backbones.architecture import Architecture
from learners.specification.learner import Learner
from tasks.content import content_id
from tasks.encoded import EncodedSplit

LENGTHS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)  # of slots of an evaluation; rows are padded to the next
# Lengths of steps in a pack of up to so many slots. A fit has one step at a time, so with more lengths fewer slots are
# in use. Of 26 tasks (rows of up to 64 tokens, batches of 16) these keep 96 to 100 % of up to 8 slots in use, and 77 to
# 86 % of all tokens are no padding; with all of LENGTHS, 82 % of 4 slots and 54 % of 8 would be.
STEP_LENGTHS = (
    (4, (16, 32, 48, 64, 96, 128, 192, 256, 384, 512)),
    (12, (32, 64, 128, 256, 512)),
    (256, (64, 128, 256, 512)),
)
OUTPUTS = (32, 256, 4096)  # widths of heads in packs: few, because fits of other widths cannot share a pass
ROWS = 8  # rows of a slot in an evaluation: few enough that a slot of a task of 20 rows is seldom half empty


def step_lengths(slots: int) -> tuple[int, ...]:
    """Returns the lengths of steps in a pack of so many slots."""
    return next((lengths for most, lengths in STEP_LENGTHS if slots <= most), STEP_LENGTHS[-1][1])


def pack_length(longest: int, most: int, lengths: Sequence[int] = LENGTHS) -> int:
    """Returns the length S of a slot for rows of up to `longest` tokens.

    Args:
        most: Most tokens of a row.
        lengths: Lengths of slots, ascending; after the last one come its multiples. Default: those of an evaluation.
    """
    multiple = -(-longest // lengths[-1]) * lengths[-1]
    return min(next((length for length in lengths if length >= longest), multiple), max(most, longest))


def row_limit(architecture: Architecture, learner: Learner) -> int:
    """Returns how many tokens of a row the encoder has positions for, beside those of the learner's prompt."""
    return architecture.maximum_length - learner.prompt


def pack_width(outputs: int) -> int:
    """Returns the width C of the heads of a pack, for heads of this width."""
    return next((width for width in OUTPUTS if width >= outputs), outputs)


@dataclass(frozen=True)
class Shape:
    """The shape of one pass of a pack. For a step of a fit it follows from K and from the rows of the step.

    Attributes:
        slots: K.
        rows: Rows B of a batch of one slot.
        length: Tokens S of a row, padding included.
        outputs: Width C of the heads; narrower ones are padded.
    """

    slots: int
    rows: int
    length: int
    outputs: int


@dataclass(frozen=True, eq=False)
class PackedPlan:
    """The slots of a task's rows: for each, the shape of its pack and the indices of at most B rows, in order."""

    slots: tuple[tuple[Shape, np.ndarray], ...]

    @cached_property
    def id(self) -> str:
        """Content id over the shapes, the order of the rows and the boundaries of the slots."""
        parts = (part for shape, rows in self.slots for part in (repr(shape), rows.astype("<i8").tobytes()))
        return content_id("packed plan", *parts)


def packed_plan(split: EncodedSplit, outputs: int, most: int, slots: int) -> PackedPlan:
    """Sorts rows by length, then by index, and cuts them into slots of `ROWS` rows.

    Args:
        outputs: Width of the task's head.
        most: `row_limit` of the encoder and the learner.
        slots: Number K of slots of a pack.
    """
    order, width = np.argsort(split.lengths, kind="stable"), pack_width(outputs)
    found = []
    for begin in range(0, len(order), ROWS):
        rows = order[begin : begin + ROWS]
        length = pack_length(int(split.lengths[rows].max()), most)
        found.append((Shape(slots, ROWS, length, width), rows))
    return PackedPlan(tuple(found))
