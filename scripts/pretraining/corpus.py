"""Documents of the small language as arrays, generated and tokenised once."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from pretraining.documents import document
from pretraining.passages import BONDS
from pretraining.semantics import vector
from pretraining.settings import Settings
from pretraining.tokens import open_tokenizer, save_tokenizer, train_tokenizer

LONGEST = 96  # tokens of one text; longer ones are cut
CHUNK = 5000  # documents that a process generates at a time

Row = tuple[str, str | None, str | None, np.ndarray, np.ndarray]  # texts, bond, meaning of each text


def generate(settings: Settings, start: int) -> list[Row]:
    rows, width = range(start, min(start + CHUNK, settings.documents)), settings.meaning_width
    documents = (document(settings.seed, index) for index in rows)
    return [(d.text, d.text_b, d.bond, vector(d.told, width).astype(np.float16),
             vector(d.told_b, width).astype(np.float16)) for d in documents]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Corpus:
    """Tokenised documents.

    Attributes:
        ids: Of all texts, one after the other [sum].
        offsets: Where each document begins [n+1].
        second: Where its second text begins [n], -1 for none.
        bond: Index into BONDS [n], -1 for none.
        meaning: Vectors of both texts [n, 2, width], 0 for none.
    """

    ids: np.ndarray
    offsets: np.ndarray
    second: np.ndarray
    bond: np.ndarray
    meaning: np.ndarray

    def parts(self, row: int) -> tuple[np.ndarray, np.ndarray | None]:
        text = self.ids[self.offsets[row] : self.offsets[row + 1]]
        cut = self.second[row]
        return (text[:LONGEST], None) if cut < 0 else (text[:cut][:LONGEST], text[cut:][:LONGEST])


def make_corpus(folder: Path, settings: Settings) -> Corpus:
    """Generate, train the tokenizer on the first tenth, tokenise; kept in the folder for the next call.

    A tokenizer.json that already lies in the folder is used as it is.
    """
    file = folder / "corpus.safetensors"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        starts = range(0, settings.documents, CHUNK)
        with multiprocessing.get_context("spawn").Pool() as pool:
            rows = [row for part in pool.imap(partial(generate, settings), starts) for row in part]
        print(f"{len(rows):,} documents", flush=True)
        tenth = rows[: max(len(rows) // 10, 1000)]
        known = folder / "tokenizer.json"
        tokenizer = open_tokenizer(known) or train_tokenizer((t for row in tenth for t in row[:2] if t), settings)
        save_tokenizer(folder, tokenizer)
        first = [e.ids for e in tokenizer.encode_batch_fast([row[0] for row in rows], add_special_tokens=False)]
        other = [e.ids for e in tokenizer.encode_batch_fast([row[1] or "" for row in rows], add_special_tokens=False)]
        lengths = [len(a) + len(b) for a, b in zip(first, other, strict=True)]
        arrays = {
            "ids": np.concatenate([np.array(a + b, np.int32) for a, b in zip(first, other, strict=True)]),
            "offsets": np.concatenate(([0], np.cumsum(lengths))),
            "second": np.array([len(a) if row[1] else -1 for a, row in zip(first, rows, strict=True)]),
            "bond": np.array([BONDS.index(row[2]) if row[2] else -1 for row in rows]),
            "meaning": np.stack([row[3:] for row in rows]),
        }
        temporary = folder / "corpus.part"
        save_file({name: torch.from_numpy(array) for name, array in arrays.items()}, temporary)
        temporary.rename(file)
    return Corpus(**{name: tensor.numpy() for name, tensor in load_file(file).items()})
