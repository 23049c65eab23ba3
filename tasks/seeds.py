"""Seeds that depend on names: each is a hash of its purpose, not of a position in a stream."""

from __future__ import annotations

import torch

from tasks.content import content_id


def seed_of(run_seed: int, *purpose: str) -> int:
    """A seed in [0, 2^63) for one purpose, for example `seed_of(0, "adapter:64", "cola", "head")`.

    It depends only on the run seed and the names. So an isolated learner gives the same Delta for any order of tasks,
    and jobs can run in parallel on any machine.
    """
    return int(content_id("seed", str(run_seed), *purpose)[:16], 16) >> 1


def order_seed(run_seed: int, task: str) -> int:
    """The seed of the order of a task's training examples. It is the same for all learners."""
    return seed_of(run_seed, task, "order")


def generator(run_seed: int, *purpose: str) -> torch.Generator:
    """A CPU generator seeded by `seed_of`."""
    return torch.Generator().manual_seed(seed_of(run_seed, *purpose))
