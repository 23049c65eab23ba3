"""Pretrain the embedded backbone: a small BERT on unlabelled text of the simulated language.

    python scripts/pretrain_backbone.py FOLDER                    pretrain in FOLDER; the same command continues
    python scripts/pretrain_backbone.py --help                    all settings

The objectives use one stream of text (`pretraining.documents`). None of them sees a task or its labels, and none asks
anything of the vector that a head reads (the mean of the last layer), so that no answer to a task lies ready there.

From the last layer:

* Masked words (Devlin et al. 2019). 20 % of the tokens are hidden: 80 % of these by [MASK], 10 % by another token, and
  10 % stay. Pairs are joined, so the second text often says a hidden word in other words.

From a middle layer, because BERT knows syntax and meaning best there and words in its last layers (Tenney et al. 2019,
"BERT Rediscovers the Classical NLP Pipeline"):

* Wrong words (after ELECTRA, Clark et al. 2020, and StructBERT, Wang et al. 2020). In half of the single texts, one or
  two words are out of order, missing, repeated or in another form. Each token is classified as right or wrong.
* Other words. In half of the pairs whose own second text tells nothing new, words of the second text are exchanged for
  others of their sort, or two of them change places. Each token is classified as the same or another.
* Relation of a joined pair, from its propositions: retold, implied, detailed, changed in one part, continued, or of
  another field.
* Similarity of meaning of separate texts. The layer's mean vectors agree if a pair tells the same propositions, and
  only then, by the pairwise sigmoid loss (Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training"). They also
  point in the direction of the propositions' features (`pretraining.semantics`), as a student's vectors follow its
  teacher's (Reimers and Gurevych 2020).

From the pooler, a tanh layer over [CLS]:

* Next text (Devlin et al. 2019): whether the second text belongs to the first one.

All randomness comes from (seed, step), so an interrupted run continues as if it had not stopped.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from pretraining.batches import draw, order
from pretraining.corpus import make_corpus
from pretraining.disturb import Forms
from pretraining.model import Pretraining, architecture
from pretraining.objectives import loss_of
from pretraining.optimiser import descend, optimisers
from pretraining.settings import Settings
from pretraining.tokens import open_tokenizer
from safetensors.torch import load_file, save_file
from torch import Tensor

from tasks import InputError
from tasks.files import write_atomic

CONFIGURED = ("model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
              "intermediate_size", "hidden_act", "layer_norm_eps", "max_position_embeddings", "type_vocab_size",
              "pad_token_id", "initializer_range", "hidden_dropout_prob", "attention_probs_dropout_prob")  # fmt: skip
CHECKPOINT_SECONDS = 120


def rise(settings: Settings, step: int) -> float:
    """Share of the peak learning rate at a step: it rises, stays, and falls to zero as one minus a square root.

    So weights do not depend on the number of steps until the fall begins (Hägele et al. 2024, "Scaling Laws and
    Compute-Optimal Training Beyond Fixed Training Durations"), and a run can be made longer from there.
    """
    if step < settings.warmup:
        return (step + 1) / settings.warmup
    falling = max(settings.decay * settings.steps, 1)
    return 1 - math.sqrt(max(step - (settings.steps - falling), 0) / falling)


def train(folder: Path, settings: Settings, stop_after: int | None = None) -> None:
    """Pretrain in a folder, from its checkpoint if it has one, and export the backbone after the last step.

    Args:
        stop_after: Stop after this step and leave a checkpoint. Default: run to the end.

    Raises:
        InputError: The folder was begun with other settings, or the encoder does not have the middle layer.
    """
    if not 1 <= settings.middle <= settings.layers:
        raise InputError(
            "no such layer", where="--middle", expected=f"1 to {settings.layers}", found=str(settings.middle)
        )
    check_same(folder, settings)
    corpus = make_corpus(folder, settings)
    rows, model, forms = order(corpus), Pretraining(settings), Forms(open_tokenizer(folder / "tokenizer.json"))
    both = optimisers(model, settings)
    step, curve = restore(folder, model, both)
    sums: dict[str, list[float]] = {}
    saved, begun, first = time.monotonic(), time.monotonic(), step
    last = settings.steps if stop_after is None else min(stop_after, settings.steps)
    while step < last:
        for optimiser, peak in zip(both, (settings.learning_rate, settings.other_rate), strict=True):
            for group in optimiser.param_groups:
                group["lr"] = peak * rise(settings, step)
        loss, parts = loss_of(model, corpus, draw(corpus, rows, forms, settings, step))
        descend(model, both, loss)
        step += 1
        for name, value in parts.items():
            sums.setdefault(name, []).append(value)
        if step % 250 == 0 or step == last:
            point = {"step": step, **{name: round(float(np.mean(values)), 4) for name, values in sums.items()}}
            curve.append(point)
            sums.clear()
            print(point, f"{(time.monotonic() - begun) / (step - first) * 1000:.0f} ms per step", flush=True)
        if time.monotonic() - saved > CHECKPOINT_SECONDS or step == last:
            save_checkpoint(folder, model, both, step, curve)
            saved = time.monotonic()
    if step == settings.steps:
        export(folder, model, settings, curve)


def check_same(folder: Path, settings: Settings) -> None:
    """Write the settings to the folder; if it has settings already, check that they are the same.

    Raises:
        InputError: A setting differs.
    """
    file, now = folder / "settings.json", asdict(settings)
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(file, json.dumps(now, indent=1))
        return
    before = json.loads(file.read_text(encoding="utf-8"))
    for name in now:
        if before.get(name) != now[name]:
            expected, found = f"{name} {before.get(name)}", str(now[name])
            fix = "give the same settings, or another folder"
            raise InputError("this folder has other settings", where=str(file), expected=expected, found=found, fix=fix)


def save_checkpoint(
    folder: Path, model: Pretraining, both: Sequence[torch.optim.Optimizer], step: int, curve: list[dict[str, float]]
) -> None:
    """Write the complete state of the run to one file, atomically."""
    tensors = {f"model.{name}": tensor.detach() for name, tensor in model.named_parameters()}
    for number, optimiser in enumerate(both):
        for position, state in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{position}.{name}": tensor for name, tensor in state.items()}
    temporary = folder / "checkpoint.part"
    save_file(tensors, temporary, {"step": str(step), "curve": json.dumps(curve)})
    temporary.rename(folder / "checkpoint.safetensors")


def restore(
    folder: Path, model: Pretraining, both: Sequence[torch.optim.Optimizer]
) -> tuple[int, list[dict[str, float]]]:
    """Load the checkpoint, if there is one, into model and optimisers; return the step and the loss curve so far."""
    from safetensors import safe_open

    file = folder / "checkpoint.safetensors"
    if not file.exists():
        return 0, []
    tensors = load_file(file)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
    for number, optimiser in enumerate(both):
        state: dict[int, dict[str, Tensor]] = {}
        for name in tensors:
            if name.startswith(f"optimiser.{number}."):
                position, entry = name.split(".")[2:]
                state.setdefault(int(position), {})[entry] = tensors[name]
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    return int(metadata["step"]), json.loads(metadata["curve"])


def export(folder: Path, model: Pretraining, settings: Settings, curve: list[dict[str, float]]) -> None:
    """Save the encoder as a model folder, in float16: the relative rounding error is below 1e-3."""
    out = folder / "backbone"
    (out / "1_Pooling").mkdir(parents=True, exist_ok=True)
    made = architecture(settings).to_dict()
    config = {"architectures": ["BertModel"], **{name: made[name] for name in CONFIGURED}}
    write_atomic(out / "config.json", json.dumps(config, indent=1, sort_keys=True).encode())
    tensors = {name: tensor.detach().half().contiguous() for name, tensor in model.encoder.state_dict().items()}
    save_file(tensors, out / "model.safetensors", {"format": "pt"})
    for name in ("tokenizer.json", "tokenizer_config.json"):
        write_atomic(out / name, (folder / name).read_bytes())
    write_atomic(out / "1_Pooling" / "config.json", b'{"pooling_mode_mean_tokens": true}\n')
    record = {"settings": asdict(settings), "curve": curve}
    write_atomic(out / "pretraining.json", json.dumps(record, indent=1).encode())


def main(
    folder: Path,
    layers: int = Settings.layers,
    middle: int = Settings.middle,
    width: int = Settings.width,
    heads: int = Settings.heads,
    vocabulary: int = Settings.vocabulary,
    documents: int = Settings.documents,
    steps: int = Settings.steps,
    tokens: int = Settings.tokens,
    learning_rate: float = Settings.learning_rate,
    other_rate: float = Settings.other_rate,
    seed: int = Settings.seed,
    stop_after: Annotated[int | None, typer.Option(help="Stop after this step; the same command continues.")] = None,
    threads: Annotated[int, typer.Option(help="Threads. The last bits of the weights depend on it.")] = 1,
) -> None:
    """Pretrain the embedded backbone on unlabelled text of the simulated language, in FOLDER."""
    torch.set_num_threads(threads)
    given = {name: value for name, value in locals().items() if name in Settings.__dataclass_fields__}
    try:
        train(folder, Settings(**given), stop_after)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
