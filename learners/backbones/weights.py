"""Reads the tensors of a backbone: only safetensors, checked against the config before memory is allocated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from learners.backbones.architecture import Architecture, parameter_shapes
from tasks.documents import read_object
from tasks.errors import InputError
from tasks.interrupts import interrupt_later

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"  # index of weights in several files: {"weight_map": {tensor: file name}}
MAX_HEADER = 4 << 20  # bytes of JSON at the start of a file; BERT-large has 40,000
REAL = ("F64", "F32", "F16", "BF16")
BUFFERS = ("position_ids", "token_type_ids")  # older versions of transformers write them; they are not weights
POOLER = "pooler."
# Names of a norm's weights in checkpoints from TensorFlow -> names in PyTorch.
OLD_NAMES = {".gamma": ".weight", ".beta": ".bias"}


def read_weights(folder: Path, architecture: Architecture) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Reads the parameters of a base model, and notes on tensors of the encoder that are not used.

    Heads of other tasks are ignored without a note. So is a pooler if the architecture has none or if a part of it is
    missing in the files.

    Args:
        folder: Folder with `model.safetensors`, or with `model.safetensors.index.json` and the files that it names.
        architecture: Architecture of the config; `pooler` tells whether a pooler is read.

    Returns:
        Name as in the base model -> float32 tensor, and the notes. The tensors are copies: if a file changes later,
        they do not change.

    Raises:
        InputError: Files are missing or damaged; tensors are missing, doubled, of another shape or not of real numbers;
            or a value is NaN or infinite. Only the last check reads more than the headers.
    """
    places = _places(folder, architecture.anatomy.prefix)
    shapes = _expected(folder, architecture, places)
    missing = sorted(name for name in shapes if name not in places)
    if missing:
        raise InputError(
            "the weights do not fit the config",
            where=str(folder),
            expected="every tensor of the encoder, in the shape the config gives",
            found=f"{len(missing)} of {len(shapes)} missing, such as {missing[0]}",
        )
    by_file: dict[Path, dict[str, str]] = {}
    for name in shapes:
        file, written = places[name]
        by_file.setdefault(file, {})[name] = written
    weights: dict[str, Tensor] = {}
    for file, names in by_file.items():
        weights |= _read(file, names, shapes)
    for name, tensor in weights.items():
        if not is_finite(tensor):
            found = f"{int((~torch.isfinite(tensor)).sum()):,} of {tensor.numel():,} numbers NaN or infinite"
            raise InputError(
                f"damaged weights {name}", where=str(places[name][0]), found=found, fix="download the files again"
            )
    encoder = tuple({f"{name.split('.')[0]}." for name in shapes if not name.startswith(POOLER)})
    rest = sorted(n for n in places if n not in shapes and n.startswith(encoder) and not n.endswith(BUFFERS))
    note = f"{len(rest)} tensors of the encoder in its files are not in its config and not used, such as "
    return {name: weights[name] for name in shapes}, ((note + rest[0],) if rest else ())


def is_finite(tensor: Tensor) -> bool:
    """Whether no value is NaN or infinite. One pass is enough: minimum and maximum are NaN if any value is NaN."""
    return tensor.numel() == 0 or all(bound.isfinite() for bound in torch.aminmax(tensor))


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Returns the files with the weights, by the same rule as transformers.

    Raises:
        InputError: There are no such files, or the index is damaged or names a file that is not a safetensors file in
            the folder.
    """
    if (folder / WEIGHTS).is_file():
        return (folder / WEIGHTS,)
    index = folder / INDEX
    if not index.is_file():
        found = ", ".join(sorted(path.name for path in folder.glob("*.safetensors"))[:3]) or "none"
        raise InputError("no weights", where=str(folder), expected=f"{WEIGHTS} or {INDEX}", found=found)
    named = read_object(index, what="damaged index of weights").get("weight_map")
    if not isinstance(named, dict) or not named:
        raise InputError("damaged index of weights", where=str(index), expected="a weight_map")
    files = sorted({str(name) for name in named.values()})
    for name in files:
        if Path(name).name != name or not name.endswith(".safetensors") or not (folder / name).is_file():
            expected = "names of safetensors files in this folder"
            raise InputError(
                "invalid file name in the index of weights", where=str(index), expected=expected, found=repr(name[:80])
            )
    return tuple(folder / name for name in files)


def _places(folder: Path, prefix: str) -> dict[str, tuple[Path, str]]:
    """Returns name of each tensor in the base model -> its file, and its name in the file."""
    places: dict[str, tuple[Path, str]] = {}
    for file in weight_files(folder):
        for written in _names(file):
            name = _base_name(written, prefix)
            if name in places:
                found = f"{places[name][1]} and {written}"
                raise InputError(f"two tensors for {name}", where=str(file), found=found)
            places[name] = file, written
    return places


def _base_name(written: str, prefix: str) -> str:
    """Returns the name of a tensor in the base model, without the prefix that a model with a head adds."""
    name = written.removeprefix(prefix)
    return next((name.removesuffix(old) + new for old, new in OLD_NAMES.items() if name.endswith(old)), name)


def _expected(folder: Path, architecture: Architecture, places: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Returns name -> shape of the tensors to read; without the pooler if a part of it is missing in the files."""
    if architecture.layers > len(places):  # the names of a billion layers, as a config may state, fill the memory
        raise InputError(
            "the weights do not fit the config",
            where=str(folder),
            expected=f"tensors of {architecture.layers:,} layers",
            found=f"{len(places):,} tensors",
        )
    shapes = parameter_shapes(architecture)
    pooler = [name for name in shapes if name.startswith(POOLER)]
    if any(name not in places for name in pooler):
        shapes = {name: shape for name, shape in shapes.items() if name not in pooler}
    return shapes


def _names(file: Path) -> list[str]:
    """Returns the names of the tensors in a file, after a check of its header."""
    with file.open("rb") as raw:
        start = raw.read(8)
    length, size = int.from_bytes(start, "little"), file.stat().st_size
    if len(start) < 8 or not 2 <= length <= min(MAX_HEADER, size - 8):
        expected = f"a header of 2 to {MAX_HEADER:,} bytes within the file's {size:,}"
        raise _damaged(file, f"a length of {length:,}" if len(start) == 8 else "no header", expected)
    with _opened(file) as tensors:
        return list(tensors.keys())


def _read(file: Path, names: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    with _opened(file) as tensors:
        for name, written in names.items():
            part = tensors.get_slice(written)
            shape, kind = tuple(part.get_shape()), part.get_dtype()
            if shape != shapes[name] or kind not in REAL:
                raise InputError(
                    "the weights do not fit the config",
                    where=str(file),
                    expected=f"{written} of shape {list(shapes[name])}, real numbers ({', '.join(REAL)})",
                    found=f"another shape or type, {list(shape)} {kind}",
                )
        # Copy at once: a tensor shares memory with the file, and if the file is cut short, the process crashes.
        return {name: tensors.get_tensor(written).to(torch.float32, copy=True) for name, written in names.items()}


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    try:
        with interrupt_later(), safe_open(file, framework="pt") as tensors:
            yield tensors
    except (SafetensorError, OSError) as error:
        raise _damaged(file, " ".join(str(error).split())[:120]) from None


def _damaged(file: Path, found: str, expected: str = "") -> InputError:
    return InputError(
        "cannot load these weights", where=str(file), expected=expected, found=found, fix="download the files again"
    )
