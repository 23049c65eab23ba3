"""Bad model folders: weights, configs and tokenizers that are damaged, hostile, or belong to another model."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .case import Case, World, write_tokenizer

WEIGHTS = "model.safetensors"
KEY = "encoder.layer.1.attention.self.key.weight"


class Marker:
    """An object that creates the file `path` when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def header(length: int | None, text: bytes = b"{}") -> Callable[[Path], object]:
    """A safetensors file with a given header. `length` is the stored length; None stores the true one."""
    data = struct.pack("<Q", len(text) if length is None else length) + text
    return lambda folder: (folder / WEIGHTS).write_bytes(data)


def large_header(folder: Path) -> None:
    with (folder / WEIGHTS).open("wb") as file:
        file.write(struct.pack("<Q", 200 << 20) + b'{"a":"')
        for _ in range(201):
            file.write(b"x" * (1 << 20))


def raw_header(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """The good weights under a changed header."""

    def make(folder: Path) -> None:
        data = (folder / WEIGHTS).read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        found = json.loads(data[8 : 8 + length])
        change(found)
        text = json.dumps(found).encode()
        (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])

    return make


def weights(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """A sound file with changed weights."""

    def make(folder: Path) -> None:
        from safetensors.numpy import load_file, save_file

        tensors = load_file(folder / WEIGHTS)
        change(tensors)
        save_file(tensors, folder / WEIGHTS)

    return make


def one_number(value: float) -> Callable[[Path], None]:
    def change(tensors: dict[str, Any]) -> None:
        tensors[KEY][3, 3] = value

    return weights(change)


def cut(keep: int) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:keep])

    return make


def text(name: str, content: str | bytes) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return make


def document(name: str, **changes: Any) -> Callable[[Path], None]:
    """A JSON file of the folder with changed keys. A callable value gets the old value and returns the new one."""

    def make(folder: Path) -> None:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
        for key, value in changes.items():
            found[key] = value(found[key]) if callable(value) else value
        (folder / name).write_text(json.dumps(found), encoding="utf-8")

    return make


def pickled(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Marker(folder / "executed")))


def index(weight_map: Any) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / WEIGHTS).rename(folder.parent / "outside.safetensors")
        (folder / "other.safetensors").touch()
        named = json.dumps({"metadata": {}, "weight_map": weight_map})
        (folder / "model.safetensors.index.json").write_text(named, encoding="utf-8")

    return make


def foreign_mark(folder: Path) -> None:
    """A template that writes a special token with another id than the vocabulary's."""

    def change(template: dict[str, Any]) -> dict[str, Any]:
        template["special_tokens"]["[CLS]"]["ids"] = [1000]
        return template

    document("tokenizer.json", post_processor=change)(folder)


def unlink(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


DEEP = "[" * 100_000
FIT = "the weights do not fit the config"
LOAD = "cannot load these weights"
Maker = Callable[[Path], object]
PLAIN: dict[str, tuple[Maker, tuple[str, ...]]] = {
    "no config": (unlink("config.json"), ("not a model folder", "expected config.json")),
    "no weights": (unlink(WEIGHTS), ("no safetensors weights", "no weights")),
    "pickled weights alone": (pickled, ("pickled weights, which are never loaded", "convert them once")),
    "weights cut at the end": (
        lambda f: cut((f / WEIGHTS).stat().st_size - 100)(f),
        (LOAD, WEIGHTS, "download the files"),
    ),
    "weights cut in the header": (cut(1000), (LOAD, WEIGHTS, "a header of 2 to")),
    "weights of 4 bytes": (cut(4), (LOAD, "no header")),
    "no bytes": (cut(0), (LOAD, "no header")),
    "header that is no JSON": (header(None, b"{" * 50), (LOAD, WEIGHTS)),
    "header nested 100,000 deep": (header(None, b'{"a":' * 100_000), (LOAD, WEIGHTS)),
    "overlapping tensors": (
        raw_header(lambda h: h.update({KEY: {**h[KEY], "data_offsets": [0, 1024]}})),
        (LOAD, WEIGHTS),
    ),
    "offsets beyond the file": (
        raw_header(lambda h: h.update({KEY: {**h[KEY], "data_offsets": [2**40, 2**40 + 1024]}})),
        (LOAD, WEIGHTS),
    ),
    "shape that overflows": (raw_header(lambda h: h.update({KEY: {**h[KEY], "shape": [2**62, 2**62]}})), (LOAD,)),
    "shape that does not fill its bytes": (raw_header(lambda h: h.update({KEY: {**h[KEY], "shape": [1, 1]}})), (LOAD,)),
    "unknown type of numbers": (raw_header(lambda h: h.update({KEY: {**h[KEY], "dtype": "Q9"}})), (LOAD,)),
    "bytes behind the tensors": (lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes() + bytes(64)), (LOAD,)),
    "tensor missing": (weights(lambda t: t.pop(KEY)), (FIT, f"1 of 39 missing, such as {KEY}")),
    "layer missing": (
        weights(lambda t: [t.pop(name) for name in list(t) if name.startswith("encoder.layer.1.")]),
        (FIT, "16 of 39 missing, such as encoder.layer.1"),
    ),
    "tensor of another shape": (
        weights(lambda t: t.update({KEY: t[KEY].repeat(2, 0)})),
        (FIT, KEY, "[16, 16]", "[32, 16]"),
    ),
    "tensor of whole numbers": (weights(lambda t: t.update({KEY: t[KEY].astype(int)})), (FIT, KEY, "I64")),
    "tensor twice": (weights(lambda t: t.update({f"bert.{KEY}": t[KEY].copy()})), ("two tensors for", KEY)),
    "NaN among the weights": (one_number(float("nan")), (f"damaged weights {KEY}", "1 of 256 numbers NaN or infinite")),
    "infinity among the weights": (one_number(float("-inf")), (f"damaged weights {KEY}", "1 of 256")),
    "index that leads out": (
        index({KEY: "../outside.safetensors"}),
        ("invalid file name in the index of weights", "../outside"),
    ),
    "index of pickles": (
        index({KEY: "pytorch_model.bin"}),
        ("invalid file name in the index of weights", "pytorch_model.bin"),
    ),
    "index of nothing": (index([1]), ("damaged index of weights", "index.json")),
    "config that is no JSON": (text("config.json", "{"), ("damaged config", "config.json")),
    "config that is a list": (text("config.json", "[]"), ("damaged config", "expected a JSON object; found a list")),
    "config nested 100,000 deep": (text("config.json", '{"a":' + DEEP), ("damaged config", "nested too deep")),
    "config with NaN": (text("config.json", '{"a": NaN}'), ("damaged config", "NaN, which is not JSON")),
    "config with half a character": (text("config.json", '{"a": "\\ud800"}'), ("damaged config", "surrogates")),
    "config of no UTF-8": (text("config.json", b"\xff\xfe{}"), ("damaged config", "decode byte 0xff")),
    "config of another model": (document("config.json", model_type="gpt2"), ("'gpt2' is not supported",)),
    "a classifier that `export` wrote": (
        document("config.json", model_type="taskstream"),
        ("it is an exported classifier", "model.backbone.save_pretrained"),
    ),
    "config without a type": (text("config.json", "{}"), ("missing model_type",)),
    "config of a decoder": (document("config.json", is_decoder=True), ("unsupported is_decoder",)),
    "config with an unknown function": (
        document("config.json", hidden_act="os.system"),
        ("unsupported hidden_act", "expected one of gelu", "os.system"),
    ),
    "config without padding": (document("config.json", pad_token_id=None), ("invalid pad_token_id",)),
    "config of a billion layers": (
        document("config.json", num_hidden_layers=10**9),
        ("invalid num_hidden_layers", "1 to 1,000"),
    ),
    "config of more layers": (document("config.json", num_hidden_layers=900), (FIT, "tensors of 900 layers")),
    "damaged pooling": (text("1_Pooling/config.json", DEEP), ("damaged pooling config", "nested too deep")),
    "no tokenizer": (unlink("tokenizer.json"), ("no tokenizer", "tokenizer.json or vocab.txt")),
    "tokenizer that is no JSON": (text("tokenizer.json", "{"), ("cannot load a tokenizer", "tokenizer.json")),
    "tokenizer of nothing": (text("tokenizer.json", "{}"), ("cannot load a tokenizer",)),
    "tokenizer nested 100,000 deep": (text("tokenizer.json", '{"a":' + DEEP), ("cannot load a tokenizer", "too deep")),
    "tokenizer settings that are a list": (text("tokenizer_config.json", "[]"), ("cannot load a tokenizer", "a list")),
    "tokenizer of more words": (
        lambda f: write_tokenizer(f, [f"word{n}" for n in range(60)]),
        ("does not belong to these weights", "at most 40 tokens", "found 65"),
    ),
    "tokenizer with an id beyond the table": (
        document("tokenizer.json", model=lambda m: {**m, "vocab": {**m["vocab"], "yew": 4000}}),
        ("does not belong to these weights", "at most 40 tokens", "found 4001"),
    ),
    "tokenizer with a mark beyond the table": (foreign_mark, ("at most 40 tokens", "token id 1000")),
    "tokenizer without padding": (
        lambda f: write_tokenizer(f, pad_token=None),
        ("differ in the padding token", "expected 0", "found none"),
    ),
    "tokenizer of other padding": (
        lambda f: write_tokenizer(f, pad_token="[MASK]"),
        ("differ in the padding token", "expected 0", "found 4 ([MASK])"),
    ),
    "tokenizer without special tokens": (document("tokenizer.json", post_processor=None), ("adds no special token",)),
}
HEAVY: dict[str, tuple[Maker, tuple[str, ...]]] = {
    "header length of 2^60": (header(2**60), (LOAD, "a length of 1,152,921,504,606,846,976")),
    "header of 200 MB": (large_header, (LOAD, "a length of 209,715,200", "2 to 4,194,304")),
    "header of 55,000 tensors": (
        header(
            None,
            json.dumps(
                {f"t{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(55_000)}
            ).encode(),
        ),
        (FIT, "37 of 37 missing"),
    ),
    "config of huge sizes": (
        document("config.json", hidden_size=2**30, intermediate_size=2**30, vocab_size=2**30),
        (FIT, "1073741824"),
    ),
    "config of a billion labels": (
        lambda f: (document("config.json", num_labels=10**9)(f), write_tokenizer(f, pad_token="[MASK]")),
        ("differ in the padding token",),  # this message comes after both config and tokenizer are read
    ),
}


def _meet(world: World, make: Maker) -> Sequence[str]:
    make(world.backbone)
    return world.run()


MODELS = (
    *(Case("model", name, lambda w, m=make: _meet(w, m), words) for name, (make, words) in PLAIN.items()),
    *(Case("model", name, lambda w, m=make: _meet(w, m), words, heavy=True) for name, (make, words) in HEAVY.items()),
)
