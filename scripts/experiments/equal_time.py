"""Pretraining of several shapes for equal time: one corpus, what a step costs, as many steps as the time allows."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pretrain_backbone import check_same, train
from pretraining.batches import draw, order
from pretraining.corpus import make_corpus
from pretraining.disturb import Forms
from pretraining.model import Pretraining
from pretraining.objectives import loss_of
from pretraining.settings import Settings
from pretraining.tokens import open_tokenizer
from torch import nn

from tasks.errors import InputError
from tasks.files import write_atomic

CYCLE = 3  # steps after which the kinds of batches come round: two joined, one apart
ROUNDS = 10  # of timing: the median of so many is steady to about a hundredth
CORPUS = ("corpus.safetensors", "tokenizer.json", "tokenizer_config.json")


def medians(calls: Mapping[str, Callable[[int], None]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median CPU seconds of each call, which is told the round.

    Each round goes through all of them, so that what else the machine does meets all alike; the first warms up.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            begun = time.process_time()
            call(turn)
            if turn:
                seconds[name].append(time.process_time() - begun)
    return {name: statistics.median(each) for name, each in seconds.items()}


def time_steps(shapes: Mapping[str, Settings], corpus_folder: Path) -> dict[str, float]:
    """CPU seconds of a pretraining step of each shape, on the same batches."""
    forms = Forms(open_tokenizer(corpus_folder / "tokenizer.json"))

    def cycle(settings: Settings) -> Callable[[int], None]:
        model = Pretraining(settings)
        optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate)

        def call(turn: int) -> None:
            for step in range(CYCLE * turn, CYCLE * (turn + 1)):
                loss, _ = loss_of(model, corpus, draw(corpus, rows, forms, settings, step))
                optimizer.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()

        return call

    common = next(iter(shapes.values()))
    corpus = make_corpus(corpus_folder, common)
    rows = order(corpus)
    for step in range(CYCLE * (ROUNDS + 1)):  # forms of words are kept once found: not at the cost of the first shape
        draw(corpus, rows, forms, common, step)
    found = medians({name: cycle(settings) for name, settings in shapes.items()})
    return {name: seconds / CYCLE for name, seconds in found.items()}


def step_seconds(shapes: Mapping[str, Settings], corpus_folder: Path, file: Path, tokens: int) -> dict[str, float]:
    """`time_steps`, kept in a file: a run that continues must come to the same numbers of steps."""
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known: dict[str, float] = kept["seconds"] if kept.get("tokens") == tokens else {}
    if missing := {name: settings for name, settings in shapes.items() if name not in known}:
        known |= time_steps(missing, corpus_folder)
        write_atomic(file, json.dumps({"tokens": tokens, "seconds": known}, indent=1))
    return known


def shared_corpus(given: Path | None, folder: Path, settings: Settings) -> tuple[Path, Settings]:
    """Folder of the corpus that all shapes read, made if none is given, and the settings with its sizes.

    Raises:
        InputError: The folder that is given has none, or the one made before was made with other settings.
    """
    if given is None:
        check_same(folder, settings)
    elif missing := [name for name in CORPUS if not (given / name).is_file()]:
        raise InputError("no corpus", where=f"--corpus {given}", expected=", ".join(CORPUS), found=f"no {missing[0]}")
    folder = given or folder
    documents = len(make_corpus(folder, settings).second)
    vocabulary = open_tokenizer(folder / "tokenizer.json").get_vocab_size()
    return folder, replace(settings, documents=documents, vocabulary=vocabulary)


def pretrain(folder: Path, corpus: Path, settings: Settings) -> dict[str, Any]:
    """Pretrain into a folder what is not there yet; how it went.

    Returns:
        The last point of the curve of losses, and `cpu_seconds`, None where it was interrupted.
    """
    check_same(folder, settings)
    written, spent = folder / "backbone" / "pretraining.json", folder / "cpu_seconds.json"
    if not written.exists():  # the last file of an export
        for name in CORPUS:
            if not (folder / name).exists():
                link(corpus / name, folder / name)
        whole, begun = not (folder / "checkpoint.safetensors").exists(), time.process_time()
        train(folder, settings)
        write_atomic(spent, json.dumps(time.process_time() - begun if whole else None))
    curve = json.loads(written.read_text(encoding="utf-8"))["curve"]
    return {"losses": curve[-1], "cpu_seconds": json.loads(spent.read_text()) if spent.exists() else None}


def link(source: Path, target: Path) -> None:
    """The same file under another name; a copy where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
