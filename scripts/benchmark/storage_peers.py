"""How the alternatives store a task: a full state_dict, peft's adapter files, Avalanche's pickled strategy."""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

from benchmark.clock import median_of
from benchmark.methods import model_of
from benchmark.rows import classes, opened


def state_dict(folder_of: str, data: str, learner: str, folder: str, loads: int, **_: Any) -> dict[str, Any]:
    """`torch.save(model.state_dict())`, and loading it into an existing model."""
    model = model_of(folder_of, learner, classes(opened(data, 1, 1).task), library=False)
    path = Path(folder) / "model.pt"
    torch.save(model.state_dict(), path)
    seconds = median_of(loads, lambda: model.load_state_dict(torch.load(path)))
    return {"bytes": path.stat().st_size, "seconds": seconds}


def peft_files(folder_of: str, data: str, learner: str, folder: str, loads: int, **_: Any) -> dict[str, Any]:
    """`save_pretrained` of a peft model, head included, and `load_adapter` into an existing model."""
    model = model_of(folder_of, learner, classes(opened(data, 1, 1).task), library=True)
    target = Path(folder) / "adapter"
    model.save_pretrained(target)
    names = iter(range(loads))
    seconds = median_of(loads, lambda: model.load_adapter(target, f"again{next(names)}"))
    return {"bytes": sum(path.stat().st_size for path in target.iterdir()), "seconds": seconds}


def checkpoint(folder_of: str, data: str, learner: str, folder: str, loads: int, **_: Any) -> dict[str, Any]:
    """Avalanche's `save_checkpoint` after one step on the task, and `maybe_load_checkpoint`."""
    from avalanche.checkpointing import maybe_load_checkpoint, save_checkpoint

    from benchmark.avalanche_strategy import benchmark, strategy_of

    # torch.optim hides its submodules. dill would then store its classes by value and fail, so set them again.
    for name, module in [*sys.modules.items()]:
        parent, _dot, last = name.rpartition(".")
        if parent == "torch.optim":
            setattr(torch.optim, last, module)
    task = opened(data, 2, 1)
    strategy = strategy_of(folder_of, learner, [task], 2, 1)
    strategy.train(benchmark([task], strategy.model.model.config.pad_token_id).train_stream[0], eval_streams=[])
    path = Path(folder) / "strategy.pkl"
    save_checkpoint(strategy, path)
    return {"bytes": path.stat().st_size, "seconds": median_of(loads, lambda: maybe_load_checkpoint(strategy, path))}
