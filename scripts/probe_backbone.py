"""The information in a frozen backbone's pooled vectors: a linear probe on each simulated task, labels free of noise.

    python scripts/probe_backbone.py                         the embedded backbone
    python scripts/probe_backbone.py FOLDER --tasks cola,rte  another backbone, some tasks

A logistic regression (ridge regression for a regression) is fitted on the standardised pooled vectors of training texts
and evaluated on test texts in the task's metric. The table also shows the score of the most frequent class. The
backbone's weights do not change.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from learners.backbones.backbone import Backbone, load_backbone
from learners.forward.forward import pooled
from learners.specification.family import parse_learner
from stream.execution.evaluate_job import scorer
from tasks.files import write_atomic
from tasks.sources.simulated.registry import twins
from tasks.sources.simulated.twin import Example, Twin, examples
from tasks.suite import resolve_suite
from tasks.tokenizer import tokenise

BATCH = 64
HEAD = parse_learner("head")  # changes nothing in the encoder
STRENGTH = 0.1  # inverse of the penalty on the standardised vectors; not tuned per task


def padded(rows: list[list[int]], filler: int) -> torch.Tensor:
    """Rows of different lengths as one tensor, filled up at the right, int64 [B, S]."""
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=filler)


def vectors(backbone: Backbone, rows: list[Example], length: int) -> np.ndarray:
    """Mean of the last hidden states of each row's tokens, without padding, [n, d].

    Args:
        length: Maximum number of tokens per row.
    """
    found, mean = [], replace(backbone, pooling="mean")
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        second = [row.text_b or "" for row in batch] if batch[0].text_b is not None else None
        tokens = tokenise(backbone.tokenizer, [row.text for row in batch], second, length)
        encoded = {
            "input_ids": padded([row.ids for row in tokens], backbone.pad_id),
            "attention_mask": padded([[1] * len(row) for row in tokens], 0),
            **({"token_type_ids": padded([row.type_ids for row in tokens], 0)} if backbone.tokenizer.typed else {}),
        }
        with torch.no_grad():
            found.append(pooled(mean, HEAD, {}, encoded).numpy())
    return np.concatenate(found)


def probe(backbone: Backbone, twin: Twin, train: int, test: int, length: int, seed: int) -> tuple[float, float]:
    """Scores of the probe and of the most frequent class, fractions in the task's metric.

    Args:
        train, test: Number of training and of test texts.
        length: Maximum number of tokens per row.
    """
    from sklearn.linear_model import LogisticRegression, Ridge

    rows = [list(examples(twin, seed, split, n)) for split, n in (("train", train), ("test", test))]
    inputs = [vectors(backbone, part, length) for part in rows]
    middle, width = inputs[0].mean(0), inputs[0].std(0) + 1e-6
    inputs = [(part - middle) / width for part in inputs]
    targets = [np.array([row.clean for row in part]) for part in rows]
    task = twin.task
    if task.kind == "regression":
        answers = Ridge(1 / STRENGTH).fit(inputs[0], targets[0]).predict(inputs[1])[:, None]
        return scorer(task)(targets[1], answers), 0.0
    model = LogisticRegression(C=STRENGTH, max_iter=500).fit(inputs[0], targets[0].astype(int))
    logits = np.full((test, task.outputs), -1e9)
    logits[:, model.classes_] = model.predict_log_proba(inputs[1])
    constant = np.zeros((test, task.outputs))
    constant[:, np.bincount(targets[0].astype(int)).argmax()] = 1
    found = [scorer(task)(targets[1].astype(int), part) for part in (logits, constant)]
    return found[0], found[1]


def main(
    backbone: Annotated[str, typer.Argument(help="embedded, minilm, a folder, or a hub id.")] = "embedded",
    tasks: Annotated[str, typer.Option(help="Suite, or tasks as a comma list.")] = "houlsby26",
    train: Annotated[int, typer.Option(min=50, help="Training texts per task.")] = 1000,
    test: Annotated[int, typer.Option(min=50, help="Test texts per task.")] = 500,
    length: Annotated[int, typer.Option(min=8, help="Maximum number of tokens per row.")] = 80,
    seed: Annotated[int, typer.Option(help="Seed of the texts.")] = 5,
    out: Annotated[Path | None, typer.Option(help="JSON file to write the numbers to.")] = None,
) -> None:
    """Fit a linear probe on each simulated task, with the pooled vectors of a frozen backbone."""
    torch.set_num_threads(1)
    console, loaded = Console(), load_backbone(backbone)
    names = resolve_suite(tasks, tuple(twins()))[1]
    scores = {}
    for name in track(names, "probing", console=Console(stderr=True)):
        scores[name] = probe(loaded, twins()[name], train, test, length, seed)
    table = Table(title=f"Linear probes of {backbone}: {train:,} training, {test:,} test texts, seed {seed}")
    for column in ("task", "metric", "most frequent", "probe", "gain"):
        table.add_column(column, justify="left" if column in ("task", "metric") else "right")
    for name, (found, constant) in scores.items():
        cells = (f"{100 * constant:.1f}", f"{100 * found:.1f}", f"{100 * (found - constant):+.1f}")
        table.add_row(name, twins()[name].task.metric, *cells)
    means = np.mean(list(scores.values()), axis=0)
    table.add_section()
    cells = (f"{100 * means[1]:.1f}", f"{100 * means[0]:.1f}", f"{100 * (means[0] - means[1]):+.1f}")
    table.add_row("mean", "", *cells)
    console.print(table)
    if out is not None:
        document = {"backbone": backbone, "train": train, "test": test, "length": length, "seed": seed, "probe": scores}
        write_atomic(out, json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
