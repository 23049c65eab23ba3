"""Pretrain the embedded backbone: a small BERT on unlabelled text of the simulated language.

    python scripts/pretrain_backbone.py FOLDER                    pretrain into FOLDER (give it again to continue)
    python scripts/pretrain_backbone.py --help                    all settings

Three objectives on one text stream (`tasks.sources.simulated.corpus`), none of which sees a task or a label of one:

* masked words (Devlin et al. 2019): one in five tokens is hidden; 80 % of them by [MASK], 10 % by another token. Over
  joined pairs too, so that a hidden word is often said in other words by the second text.
* bond of a joined pair, out of its propositions: retold, implied, changed in one part, continued, of another field.
* meaning similarity of texts read apart: mean-pooled vectors agree where a pair tells the same propositions and
  nowhere else, by the pairwise sigmoid loss (Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training"); and,
  from `--meaning-from` on, they point to where the propositions' features do (`tasks.sources.simulated.semantics`),
  as a student's vectors do to its teacher's (Reimers and Gurevych 2020).

Everything is drawn from (seed, step), so a run that was interrupted continues as if it had not been.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, logsigmoid, normalize

from tasks.files import write_atomic
from tasks.sources.simulated.corpus import BONDS, document
from tasks.sources.simulated.semantics import vector

WEIGHTS = {"words": 1.0, "bond": 0.5, "similarity": 0.5, "meaning": 3.0}  # a cosine moves over a far smaller range
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, CLS, SEP, MASK = 0, 2, 3, 4
MASKED = 0.2  # somewhat above BERT's 0.15 serves encoders better (Wettig et al. 2023)
LONGEST = 96  # tokens of one text; longer ones are cut
CONFIGURED = ("model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
              "intermediate_size", "hidden_act", "layer_norm_eps", "max_position_embeddings", "type_vocab_size",
              "pad_token_id", "initializer_range", "hidden_dropout_prob", "attention_probs_dropout_prob")  # fmt: skip
CHUNK = 5000  # documents that a process generates at a time
CHECKPOINT_SECONDS = 120


@dataclass(frozen=True)
class Settings:
    """What the weights depend on."""

    layers: int = 4
    width: int = 128
    heads: int = 4
    vocabulary: int = 8000
    documents: int = 400_000
    steps: int = 30_000
    tokens: int = 4096  # of a batch, padding included
    meaning_from: int = 0
    meaning_width: int = 256
    learning_rate: float = 1e-3
    warmup: float = 0.03
    seed: int = 0


class Pretraining(nn.Module):
    """The encoder with the heads of the three objectives, which are thrown away in the end."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        from transformers import BertModel

        torch.manual_seed(settings.seed)
        self.encoder = BertModel(architecture(settings), add_pooling_layer=False)
        d = settings.width
        self.transform = nn.Sequential(nn.Linear(d, d), nn.GELU(), nn.LayerNorm(d))
        self.bias = nn.Parameter(torch.zeros(settings.vocabulary))
        self.meaning = nn.Linear(d, settings.meaning_width)
        self.bond = nn.Sequential(nn.Linear(d, d), nn.Tanh(), nn.Linear(d, len(BONDS)))
        self.scale = nn.Parameter(torch.tensor([math.log(10.0), -5.0]))  # temperature and bias, as in the paper

    def encode(self, ids: Tensor, types: Tensor) -> Tensor:
        """Hidden states [B, S, d]."""
        hidden: Tensor = self.encoder(ids, attention_mask=(ids != PAD).long(), token_type_ids=types).last_hidden_state
        return hidden

    def words(self, hidden: Tensor) -> Tensor:
        """Scores [n, V] of hidden states [n, d] at masked places."""
        scores: Tensor = self.transform(hidden) @ self.encoder.embeddings.word_embeddings.weight.T + self.bias
        return scores


def architecture(settings: Settings) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=settings.vocabulary,
        hidden_size=settings.width,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=4 * settings.width,
        max_position_embeddings=256,
        hidden_dropout_prob=0.0,  # fresh text never repeats often enough to be learned by heart
        attention_probs_dropout_prob=0.0,
        attn_implementation="eager",
    )


def mean(hidden: Tensor, ids: Tensor) -> Tensor:
    """Mean [B, d] of the hidden states [B, S, d] of real tokens."""
    real = (ids != PAD).unsqueeze(-1)
    return (hidden * real).sum(1) / real.sum(1)


# --- text -------------------------------------------------------------------------------------------------------------


Row = tuple[str, str | None, str | None, np.ndarray, np.ndarray]  # texts, bond, meaning of each text


def generate(settings: Settings, start: int) -> list[Row]:
    rows, width = range(start, min(start + CHUNK, settings.documents)), settings.meaning_width
    documents = (document(settings.seed, index) for index in rows)
    return [(d.text, d.text_b, d.bond, vector(d.told, width).astype(np.float16),
             vector(d.told_b, width).astype(np.float16)) for d in documents]  # fmt: skip


def train_tokenizer(lines: Iterator[str], settings: Settings) -> Any:
    """A lower-case WordPiece vocabulary in which every printable ASCII character has a token, so nothing is unknown."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    alphabet = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    trainer = trainers.WordPieceTrainer(
        vocab_size=settings.vocabulary, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
    )
    return tokenizer


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
        save_file({name: torch.from_numpy(array) for name, array in arrays.items()}, file)
    return Corpus(**{name: tensor.numpy() for name, tensor in load_file(file).items()})


def open_tokenizer(file: Path) -> Any:
    """A tokenizer that was put there beforehand, or None."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(file)) if file.exists() else None


def save_tokenizer(folder: Path, tokenizer: Any) -> None:
    tokenizer.save(str(folder / "tokenizer.json"))
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    settings: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 256}
    settings |= dict(zip(names, SPECIAL, strict=True))
    settings["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
    write_atomic(folder / "tokenizer_config.json", json.dumps(settings, indent=1).encode())


# --- batches ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Order:
    """Rows by length, for batches without much padding: of all documents, and of the pairs."""

    all: np.ndarray
    pairs: np.ndarray


def order(corpus: Corpus) -> Order:
    lengths = np.diff(corpus.offsets)
    by_length = np.argsort(lengths, kind="stable")
    return Order(by_length, by_length[(corpus.second >= 0)[by_length] & (corpus.bond >= 0)[by_length]])


def pad(rows: list[np.ndarray]) -> Tensor:
    """Rows of ids as [B, S]."""
    out = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for position, row in enumerate(rows):
        out[position, : len(row)] = row
    return torch.from_numpy(out)


def window(rows: np.ndarray, corpus: Corpus, tokens: int, random: np.random.Generator) -> np.ndarray:
    """A run of neighbours in length, as many as fit into the token budget."""
    start = int(random.integers(len(rows)))
    longest = corpus.offsets[rows[start] + 1] - corpus.offsets[rows[start]] + 3
    return rows[start : start + max(8, tokens // int(longest))]


def mask(ids: Tensor, vocabulary: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Input with hidden tokens [B, S], and which are to be told [B, S]."""
    draw = torch.from_numpy(random.random(ids.shape, np.float32))
    chosen = (ids > MASK) & (draw < MASKED)
    hidden = torch.where(chosen & (draw < 0.8 * MASKED), MASK, ids)
    other = torch.from_numpy(random.integers(len(SPECIAL), vocabulary, ids.shape))
    return torch.where(chosen & (draw >= 0.9 * MASKED), other, hidden), chosen


def loss_of(
    model: Pretraining, corpus: Corpus, rows: Order, settings: Settings, step: int
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a step: two of three read texts with pairs joined, one of three reads the texts of pairs apart."""
    random = np.random.default_rng([settings.seed, step])
    apart = step % 3 == 2
    chosen = window(rows.pairs if apart else rows.all, corpus, settings.tokens, random)
    pairs = [corpus.parts(row) for row in chosen]
    if apart:
        texts = [
            np.concatenate(([CLS], part, [SEP]))
            for side in (0, 1)
            for pair in pairs
            if (part := pair[side]) is not None
        ]
        ids = pad(texts)
        types = torch.zeros_like(ids)
    else:
        texts = [np.concatenate(([CLS], a, [SEP]) if b is None else ([CLS], a, [SEP], b, [SEP])) for a, b in pairs]
        ids = pad(texts)
        starts = torch.tensor([len(a) + 2 if b is not None else 1000 for a, b in pairs])
        types = ((torch.arange(ids.shape[1]) >= starts[:, None]) & (ids != PAD)).long()
    inputs, asked = mask(ids, settings.vocabulary, random)
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.encode(inputs, types)
        words = cross_entropy(model.words(hidden[asked]).float(), ids[asked])
    parts = {"words": words}
    pooled = mean(hidden.float(), ids)
    bonds = torch.from_numpy(corpus.bond[chosen])
    if apart:
        first, second = normalize(pooled, dim=-1).chunk(2)
        logits = model.scale[0].exp() * first @ second.T + model.scale[1]
        same = torch.diag(bonds == BONDS.index("retold"))
        losses = -logsigmoid(torch.where(same, logits, -logits))
        meant = torch.from_numpy(corpus.meaning[chosen].astype(np.float32)).transpose(0, 1).flatten(0, 1)
        own, implied = torch.eye(len(bonds), dtype=torch.bool), torch.diag(bonds == BONDS.index("implied"))
        parts["similarity"] = losses[own & ~implied].mean() + losses[~own].sum() / len(bonds)
    else:
        meant = torch.from_numpy(corpus.meaning[chosen, 0].astype(np.float32) * (corpus.second[chosen, None] < 0))
    if step >= settings.meaning_from and (told := meant.norm(dim=1) > 0).any():
        agreement = normalize(model.meaning(pooled), dim=-1) * meant
        parts["meaning"] = 1 - agreement.sum(1)[told].mean()
    if not apart and (bonds >= 0).any():
        parts["bond"] = cross_entropy(model.bond(pooled)[bonds >= 0], bonds[bonds >= 0])
    total = sum((WEIGHTS[name] * part for name, part in parts.items()), torch.zeros(()))
    return total, {name: float(part.detach()) for name, part in parts.items()}


# --- training ---------------------------------------------------------------------------------------------------------


def rate(settings: Settings, step: int) -> float:
    """Learning rate: linear warm-up, then half a cosine down to nothing."""
    rise = max(settings.warmup * settings.steps, 1)
    if step < rise:
        return settings.learning_rate * (step + 1) / rise
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(settings.steps - rise, 1)))


def train(folder: Path, settings: Settings) -> None:
    corpus = make_corpus(folder, settings)
    rows, model = order(corpus), Pretraining(settings)
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98))
    step, curve = restore(folder, model, optimizer)
    sums: dict[str, list[float]] = {}
    saved, begun, first = time.monotonic(), time.monotonic(), step
    while step < settings.steps:
        for group in optimizer.param_groups:
            group["lr"] = rate(settings, step)
        loss, parts = loss_of(model, corpus, rows, settings, step)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        for name, value in parts.items():
            sums.setdefault(name, []).append(value)
        if step % 250 == 0 or step == settings.steps:
            point = {"step": step, **{name: round(float(np.mean(values)), 4) for name, values in sums.items()}}
            curve.append(point)
            sums.clear()
            print(point, f"{(time.monotonic() - begun) / (step - first) * 1000:.0f} ms a step", flush=True)
        if time.monotonic() - saved > CHECKPOINT_SECONDS or step == settings.steps:
            keep(folder, model, optimizer, step, curve)
            saved = time.monotonic()
    export(folder, model, settings, curve)


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
    meaning_from: Annotated[int, typer.Option(help="first step of the meaning objective")] = Settings.meaning_from,
    tokens: int = Settings.tokens,
    learning_rate: float = Settings.learning_rate,
    seed: int = Settings.seed,
    threads: Annotated[int, typer.Option(help="the weights depend on it in the last bits")] = 2,
) -> None:
    torch.set_num_threads(threads)
    given = {name: value for name, value in locals().items() if name in Settings.__dataclass_fields__}
    train(folder, Settings(**given))


if __name__ == "__main__":
    typer.run(main)
