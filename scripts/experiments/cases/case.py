"""The type of a bad input, and the small world of two good tasks and a random encoder in which it is tried."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learners.backbones.architecture import architecture_from_config, parameter_shapes

CONFIG = {
    "model_type": "bert",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 40,
    "max_position_embeddings": 48,
    "type_vocab_size": 2,
    "pad_token_id": 0,
}
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = ("ash", "birch", "elm", "fir", "oak", "pine", "red", "blue", "green", "gold")


@dataclass(frozen=True)
class World:
    """The folder in which a case is set up.

    Attributes:
        folder: Scratch folder of the case. A run would write to its subfolder `run`.
        tasks: Folder of two good tasks, `colours` and `rte`.
        backbone: A good model folder.
    """

    folder: Path

    @property
    def tasks(self) -> Path:
        return self.folder / "tasks"

    @property
    def backbone(self) -> Path:
        return self.folder / "model"

    def run(self, **settings: Any) -> list[str]:
        """Arguments of `taskstream run` in this world. `settings` replace or add to good settings."""
        given = {
            "suite": "colours,rte",
            "source": f"folder:{self.tasks}",
            "backbone": self.backbone,
            "learners": "head",
            "epochs": 1,
            "max_length": 24,
            "workers": 1,
            "out": self.folder / "run",
            "display": "none",
            **settings,
        }
        return ["run", *(part for key, value in given.items() for part in (f"--{key.replace('_', '-')}", str(value)))]


@dataclass(frozen=True)
class Case:
    """A bad input.

    Attributes:
        area: settings, data or model.
        name: The input in a few words.
        make: Makes the input in a world and returns the arguments of the command that reads it.
        words: Texts that the message must contain.
        heavy: Whether the input tries to fill the memory. Default: no.
    """

    area: str
    name: str
    make: Callable[[World], Sequence[str]]
    words: tuple[str, ...]
    heavy: bool = False

    def refused(self, code: int, out: str, err: str) -> bool:
        """Whether the command refused the input in the right way: one clear line on `err`, exit code 2, no `out`."""
        lines = err.splitlines()
        one = len(lines) == 1 and lines[0].startswith("error: ") and 20 < len(lines[0]) < 1000
        return code == 2 and not out and one and all(word in err for word in self.words)


def cell_of(message: str) -> str:
    """Returns a message as the cell of a table in Markdown."""
    return message.replace("|", "\\|").replace("\n", " ")


def make_world(folder: Path) -> World:
    """Write good tasks and a good model folder. This does without PyTorch, which needs more memory than some cases."""
    import numpy as np
    from safetensors.numpy import save_file

    world = World(folder)
    rows = [(f"{WORDS[i % 6]} {WORDS[6 + i % 4]} {i}", WORDS[i % 7], f"label{i % 2}") for i in range(40)]
    write_csv(world.tasks / "colours" / "data.csv", ["text", "label"], *[[a, c] for a, _, c in rows])
    write_csv(world.tasks / "rte" / "data.csv", ["text", "text_b", "label"], *map(list, rows))
    world.backbone.mkdir()
    (world.backbone / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    random = np.random.default_rng(0)
    shapes = parameter_shapes(architecture_from_config(CONFIG))
    weights = {name: random.normal(0, 0.1, shape).astype(np.float32) for name, shape in shapes.items()}
    save_file(weights, world.backbone / "model.safetensors")
    write_tokenizer(world.backbone)
    return world


def write_tokenizer(folder: Path, words: Sequence[str] = WORDS, **tokens: str | None) -> None:
    """Save a WordPiece tokenizer of some words. `tokens` replaces special tokens in its config; None removes one."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {word: index for index, word in enumerate((*SPECIAL, *words))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    marks = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", marks)
    tokenizer.save(str(folder / "tokenizer.json"))
    named = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")} | tokens
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **{k: v for k, v in named.items() if v is not None}}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")


def write_csv(path: Path, *rows: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
