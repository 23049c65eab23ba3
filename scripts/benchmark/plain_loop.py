"""A plain loop as a contender: float32, a DataLoader that shuffles, padding to the longest row of the batch."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch.utils.data import DataLoader

from benchmark.clock import clocked
from benchmark.methods import model_of
from benchmark.rows import classes, opened, padded, rows


def train(
    folder: str, data: str, learner: str, examples: int, epochs: int, batch_size: int, **_: Any
) -> dict[str, Any]:
    """Train once from the pretrained weights. Loading the model is not timed."""
    torch.manual_seed(0)
    task = opened(data, examples, 1)
    model = model_of(folder, learner, classes(task.task), library=False)
    batches: Any = DataLoader(
        rows(task.train),  # type: ignore[arg-type]
        batch_size,
        shuffle=True,
        collate_fn=partial(padded, pad_id=model.config.pad_token_id),
    )
    loss = torch.zeros(())
    with clocked() as spent:
        optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
        model.train()
        for _epoch in range(epochs):
            for batch in batches:
                loss = model(**batch).loss
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
    return {**spent.as_dict(), "examples": epochs * len(task.train), "loss": loss.item()}
