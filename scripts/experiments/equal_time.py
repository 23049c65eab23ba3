"""Pretrain several shapes for equal time: one corpus, the time of a step, and as many steps as the time allows."""

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

from pretrain_backbone import check_same, train
from pretraining.batches import draw, order
from pretraining.corpus import make_corpus
from pretraining.disturb import Forms
from pretraining.model import Pretraining
from pretraining.objectives import loss_of
from pretraining.optimiser import descend, optimisers
from pretraining.settings import Settings
from pretraining.tokens import open_tokenizer

from tasks.errors import InputError
from tasks.files import write_atomic

CYCLE = 3  # the kinds of batches repeat after three steps: two with joined pairs, one with separate texts
ROUNDS = 10  # rounds of timing: their median varies by about one percent
CORPUS = ("corpus.safetensors", "tokenizer.json", "tokenizer_config.json")


def medians(calls: Mapping[str, Callable[[int], None]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median CPU seconds of each call. A call gets the number of the round.

    Each round makes all calls, so that other load on the machine affects all of them alike. The first round is a
    warm-up and is not counted.
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
    """CPU seconds of one pretraining step of each shape, on the same batches."""
    forms = Forms(open_tokenizer(corpus_folder / "tokenizer.json"))

    def cycle(settings: Settings) -> Callable[[int], None]:
        model = Pretraining(settings)
        both = optimisers(model, settings)

        def call(turn: int) -> None:
            for step in range(CYCLE * turn, CYCLE * (turn + 1)):
                loss, _ = loss_of(model, corpus, draw(corpus, rows, forms, settings, step))
                descend(model, both, loss)

        return call

    common = next(iter(shapes.values()))
    corpus = make_corpus(corpus_folder, common)
    rows = order(corpus)
    for step in range(CYCLE * (ROUNDS + 1)):  # fills the cache of word forms: no shape pays for it
        draw(corpus, rows, forms, common, step)
    found = medians({name: cycle(settings) for name, settings in shapes.items()})
    return {name: seconds / CYCLE for name, seconds in found.items()}


def step_seconds(shapes: Mapping[str, Settings], corpus_folder: Path, file: Path, tokens: int) -> dict[str, float]:
    """`time_steps`, stored in a file: a study that continues must use the same numbers of steps."""
    stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    seconds: dict[str, float] = stored["seconds"] if stored.get("tokens") == tokens else {}
    if missing := {name: settings for name, settings in shapes.items() if name not in seconds}:
        seconds |= time_steps(missing, corpus_folder)
        write_atomic(file, json.dumps({"tokens": tokens, "seconds": seconds}, indent=1))
    return seconds


def shared_corpus(given: Path | None, folder: Path, settings: Settings) -> tuple[Path, Settings]:
    """Folder of the corpus that all shapes read, and the settings with the corpus's sizes.

    Args:
        given: Folder of an existing corpus; None makes one in `folder`.

    Raises:
        InputError: `given` has no corpus, or the corpus in `folder` was made with other settings.
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
    """Pretrain a shape in a folder, unless it is finished there.

    Returns:
        `losses`: the last point of the loss curve. `cpu_seconds`: CPU time of the pretraining; None if it was
        interrupted.
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
    """Link a file under another name; copy it if the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
