"""Seeds by name: a hash of what they are for, never a position in a stream or a global generator."""

from __future__ import annotations

import torch

from tasks.content import content_id


def seed_of(run_seed: int, *purpose: str) -> int:
    """A seed in [0, 2^63) for one purpose, such as `seed_of(0, "adapter:64", "cola", "head")`.

    It depends on names alone, so an isolated learner gives the same Delta under any order of tasks, and jobs
    may run anywhere, in parallel.
    """
    return int(content_id("seed", str(run_seed), *purpose)[:16], 16) >> 1


def generator(run_seed: int, *purpose: str) -> torch.Generator:
    """A CPU generator seeded by `seed_of`."""
    return torch.Generator().manual_seed(seed_of(run_seed, *purpose))
