"""The state of a fit that has paused after some epochs, in memory and as a file.

It holds everything that the next step depends on, so a fit that goes on from it gives the bits of a fit that never
paused. The file is safetensors: the tensors, and integers and names as JSON in its header. Nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from learners.backbones.fingerprint import tensor_digest
from learners.delta.delta import Delta
from learners.training.formats import TRAINING_FORMAT
from tasks.content import canonical, content_id
from tasks.errors import InputError
from tasks.files import write_atomic
from tasks.interrupts import interrupt_later

if TYPE_CHECKING:
    from torch import Tensor

SCHEMA = 1
Moments = tuple["Tensor", "Tensor", "Tensor"]  # first moment, second moment, number of steps


@dataclass(frozen=True, eq=False)
class FitState:
    """A fit between two epochs. Do not change its tensors.

    Attributes:
        epochs: Number of epochs done.
        step: Number of optimiser steps done.
        examples, flops, seconds: Cost so far (`learners.training.result.Fit`).
        ended: Whether training is over before its last epoch, because the score no longer improves.
        scores: Validation score after each epoch.
        losses: Mean training loss of each epoch.
        best: Delta of the best epoch so far.
        best_key: Score of this epoch, and its validation loss times -1; (-inf, -inf) if no score counts yet.
        best_epoch: Its index, from 0; -1 if there is none.
        trainable: Trained tensors, by name.
        gates: Gate parameters that are still trained, by the name of the gated tensor.
        moments: Moments of AdamW, by "tensor." or "gate." and the name. A tensor without any step so far has none.
        masks: Scalars that pruning keeps (bool), by the name of the tensor; empty before pruning.
        dropout: State of the generator that draws dropout, uint8.
        gate_noise: State of the generator that draws gates, uint8.
    """

    epochs: int
    step: int
    examples: int
    flops: float
    seconds: float
    ended: bool
    scores: tuple[float, ...]
    losses: tuple[float, ...]
    best: Delta
    best_key: tuple[float, float]
    best_epoch: int
    trainable: Mapping[str, Tensor]
    gates: Mapping[str, Tensor]
    moments: Mapping[str, Moments]
    masks: Mapping[str, Tensor]
    dropout: Tensor
    gate_noise: Tensor


def save_state(state: FitState, path: Path, fit: str) -> None:
    """Writes a state as a safetensors file, atomically.

    Args:
        fit: Text that identifies the fit, such as the id of its recipe.
    """
    import torch
    from safetensors.torch import save

    tensors = {
        "numbers": torch.tensor([state.flops, state.seconds, *state.best_key], dtype=torch.float64),
        "scores": torch.tensor(state.scores, dtype=torch.float64),
        "losses": torch.tensor(state.losses, dtype=torch.float64),
        "dropout": state.dropout,
        "gate_noise": state.gate_noise,
        **_under("best", {name: tensor.clone() for name, tensor in state.best.tensors.items()}),  # may be a view
        **_under("trainable", state.trainable),
        **_under("gates", state.gates),
        **_under("masks", state.masks),
        **{f"{part}/{name}": found[i] for name, found in state.moments.items() for i, part in enumerate(_MOMENTS)},
    }
    tensors = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    facts = {
        "schema": SCHEMA,
        "training": TRAINING_FORMAT,
        "fit": fit,
        "epochs": state.epochs,
        "step": state.step,
        "examples": state.examples,
        "ended": state.ended,
        "best_epoch": state.best_epoch,
        "pruned": sorted(state.best.pruned),
    }
    header = {"taskstream": json.dumps({**facts, "check": _check(facts, tensors)})}
    write_atomic(path, save(tensors, metadata=header))


def load_state(path: Path, fit: str) -> FitState:
    """Reads a state and checks its content.

    Args:
        path: File that `save_state` wrote.
        fit: Text that identifies the fit; the file must have the same.

    Raises:
        InputError: The file is missing or damaged, or the state of another fit or version.
    """
    facts, tensors = _read(path)
    check = facts.pop("check", None)
    expected = {"schema": SCHEMA, "training": TRAINING_FORMAT, "fit": fit}
    if found := {name: facts.get(name) for name in expected if facts.get(name) != expected[name]}:
        where, wanted = str(path), str({name: expected[name] for name in found})
        raise InputError("the state of another fit", where=where, expected=wanted, found=str(found))
    if check != _check(facts, tensors):
        raise InputError("a damaged state of a fit", where=str(path), found="content that differs from its hash")
    numbers = tensors["numbers"].tolist()
    first, second, steps = (_of(part, tensors) for part in _MOMENTS)
    return FitState(
        epochs=facts["epochs"],
        step=facts["step"],
        examples=facts["examples"],
        flops=numbers[0],
        seconds=numbers[1],
        ended=facts["ended"],
        scores=tuple(tensors["scores"].tolist()),
        losses=tuple(tensors["losses"].tolist()),
        best=Delta(_of("best", tensors), frozenset(facts["pruned"])),
        best_key=(numbers[2], numbers[3]),
        best_epoch=facts["best_epoch"],
        trainable=_of("trainable", tensors),
        gates=_of("gates", tensors),
        moments={name: (first[name], second[name], steps[name]) for name in first},
        masks=_of("masks", tensors),
        dropout=tensors["dropout"],
        gate_noise=tensors["gate_noise"],
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with interrupt_later(), safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {}).get("taskstream", "{}"))
            # A copy: a mapped tensor begins anywhere in memory, and kernels may round by alignment.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError, TypeError, ValueError) as error:
        raise InputError("cannot read the state of a fit", where=str(path), found=str(error)) from None
    if not isinstance(facts, dict):
        raise InputError("cannot read the state of a fit", where=str(path), found="a header without its facts")
    return facts, tensors


def _under(part: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{part}/{name}": tensor for name, tensor in tensors.items()}


def _of(part: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(f"{part}/"): each for name, each in tensors.items() if name.startswith(f"{part}/")}


def _check(facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    digests = {name: tensor_digest(name, tensor) for name, tensor in tensors.items()}
    return content_id("fit state", canonical(dict(facts)), canonical(digests))


_MOMENTS = ("first", "second", "steps")
