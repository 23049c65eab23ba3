"""The corpus: documents of the simulated language as arrays, generated and tokenised once."""

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

LONGEST = 96  # maximum number of tokens of a text; longer texts are cut
CHUNK = 5000  # documents that a process generates in one call

Row = tuple[str, str | None, str | None, np.ndarray, np.ndarray]  # texts, bond, meaning of each text


def generate(settings: Settings, start: int) -> list[Row]:
    """Generate `CHUNK` documents from document `start` on, or up to the last one."""
    rows, width = range(start, min(start + CHUNK, settings.documents)), settings.meaning_width
    documents = (document(settings.seed, index) for index in rows)
    return [(d.text, d.text_b, d.bond, vector(d.told, width).astype(np.float16),
             vector(d.told_b, width).astype(np.float16)) for d in documents]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Corpus:
    """n tokenised documents.

    Attributes:
        ids: Token ids of all texts, one after the other [sum of lengths].
        offsets: Start of each document in `ids` [n + 1].
        second: Start of the second text, counted from the start of the document [n]; -1 if there is none.
        bond: Index of the pair's relation in BONDS [n]; -1 for a single text.
        meaning: Meaning vectors of both texts [n, 2, width]; 0 if there is none.
    """

    ids: np.ndarray
    offsets: np.ndarray
    second: np.ndarray
    bond: np.ndarray
    meaning: np.ndarray

    def parts(self, row: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Token ids of a document's first and second text, each cut to `LONGEST`; None if there is no second."""
        text = self.ids[self.offsets[row] : self.offsets[row + 1]]
        cut = self.second[row]
        return (text[:LONGEST], None) if cut < 0 else (text[:cut][:LONGEST], text[cut:][:LONGEST])


def make_corpus(folder: Path, settings: Settings) -> Corpus:
    """Load the corpus of a folder. If there is none, generate documents, train a tokenizer, tokenise, and store it.

    The tokenizer is trained on the first tenth of the documents. A tokenizer.json in the folder is used instead.
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
