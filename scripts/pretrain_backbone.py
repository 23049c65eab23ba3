"""Pretrain the embedded backbone: a small BERT on unlabelled text of the simulated language.

    python scripts/pretrain_backbone.py FOLDER                    pretrain into FOLDER (give it again to continue)
    python scripts/pretrain_backbone.py --help                    all settings

Objectives on one stream of text (`pretraining.documents`), none of which sees a task or a label of one:

* masked words (Devlin et al. 2019): one in five tokens is hidden; 80 % of them by [MASK], 10 % by another token. Over
  joined pairs too, so that a hidden word is often said in other words by the second text.
* wrong words: in every other single text a word or two are out of order, missing, twice there or in another form, and
  each token is told right or wrong (after ELECTRA, Clark et al. 2020, and StructBERT, Wang et al. 2020).
* bond of a joined pair, out of its propositions: retold, implied, detailed, changed in one part, continued, of another
  field.
* meaning similarity of texts read apart: mean-pooled vectors agree where a pair tells the same propositions and
  nowhere else, by the pairwise sigmoid loss (Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training"); and
  they point to where the propositions' features do (`pretraining.semantics`), as a student's vectors do to
  its teacher's (Reimers and Gurevych 2020).

Everything is drawn from (seed, step), so a run that was interrupted continues as if it had not been.
"""

from __future__ import annotations

import json
import math
import sys
import time
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
from pretraining.settings import Settings
from pretraining.tokens import open_tokenizer
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tasks.errors import InputError
from tasks.files import write_atomic

CONFIGURED = ("model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
              "intermediate_size", "hidden_act", "layer_norm_eps", "max_position_embeddings", "type_vocab_size",
              "pad_token_id", "initializer_range", "hidden_dropout_prob", "attention_probs_dropout_prob")  # fmt: skip
CHECKPOINT_SECONDS = 120


def rate(settings: Settings, step: int) -> float:
    """Learning rate: linear warm-up, then half a cosine down to nothing."""
    rise = max(settings.warmup * settings.steps, 1)
    if step < rise:
        return settings.learning_rate * (step + 1) / rise
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(settings.steps - rise, 1)))


def train(folder: Path, settings: Settings, stop_after: int | None = None) -> None:
    check_same(folder, settings)
    corpus = make_corpus(folder, settings)
    rows, model, forms = order(corpus), Pretraining(settings), Forms(open_tokenizer(folder / "tokenizer.json"))
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98))
    step, curve = restore(folder, model, optimizer)
    sums: dict[str, list[float]] = {}
    saved, begun, first = time.monotonic(), time.monotonic(), step
    last = settings.steps if stop_after is None else min(stop_after, settings.steps)
    while step < last:
        for group in optimizer.param_groups:
            group["lr"] = rate(settings, step)
        loss, parts = loss_of(model, corpus, draw(corpus, rows, forms, settings, step))
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        for name, value in parts.items():
            sums.setdefault(name, []).append(value)
        if step % 250 == 0 or step == last:
            point = {"step": step, **{name: round(float(np.mean(values)), 4) for name, values in sums.items()}}
            curve.append(point)
            sums.clear()
            print(point, f"{(time.monotonic() - begun) / (step - first) * 1000:.0f} ms a step", flush=True)
        if time.monotonic() - saved > CHECKPOINT_SECONDS or step == last:
            keep(folder, model, optimizer, step, curve)
            saved = time.monotonic()
    if step == settings.steps:
        export(folder, model, settings, curve)


def check_same(folder: Path, settings: Settings) -> None:
    """Note what the folder's corpus and checkpoint are made with, or refuse to go on with anything else.

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
            raise InputError("begun with other settings", where=str(file), expected=expected, found=found, fix=fix)


def keep(
    folder: Path, model: Pretraining, optimizer: torch.optim.Optimizer, step: int, curve: list[dict[str, float]]
) -> None:
    """Write all that the rest of the run depends on, at once."""
    tensors = {f"model.{name}": tensor.detach() for name, tensor in model.named_parameters()}
    for position, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{position}.{name}": tensor for name, tensor in state.items()}
    temporary = folder / "checkpoint.part"
    save_file(tensors, temporary, {"step": str(step), "curve": json.dumps(curve)})
    temporary.rename(folder / "checkpoint.safetensors")


def restore(folder: Path, model: Pretraining, optimizer: torch.optim.Optimizer) -> tuple[int, list[dict[str, float]]]:
    from safetensors import safe_open

    file = folder / "checkpoint.safetensors"
    if not file.exists():
        return 0, []
    tensors = load_file(file)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "optimizer":
            position, _, entry = rest.partition(".")
            state.setdefault(int(position), {})[entry] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    return int(metadata["step"]), json.loads(metadata["curve"])


def export(folder: Path, model: Pretraining, settings: Settings, curve: list[dict[str, float]]) -> None:
    """The encoder as a model folder: half precision on disk, which is where rounding starts to show at 1e-3."""
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
    width: int = Settings.width,
    heads: int = Settings.heads,
    vocabulary: int = Settings.vocabulary,
    documents: int = Settings.documents,
    steps: int = Settings.steps,
    tokens: int = Settings.tokens,
    learning_rate: float = Settings.learning_rate,
    seed: int = Settings.seed,
    stop_after: Annotated[int | None, typer.Option(help="stop at this step; to be continued")] = None,
    threads: Annotated[int, typer.Option(help="the weights depend on it in the last bits")] = 1,
) -> None:
    torch.set_num_threads(threads)
    given = {name: value for name, value in locals().items() if name in Settings.__dataclass_fields__}
    try:
        train(folder, Settings(**given), stop_after)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
