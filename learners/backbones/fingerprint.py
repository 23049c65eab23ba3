"""SHA-256 of tensors, and of the files that a backbone is read from: they name what changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from tasks.content import content_id

FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.bin", "1_Pooling/config.json")


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a model folder that loading may read, by its name in the folder."""
    found = {path for pattern in FILES for path in folder.glob(pattern) if path.is_file()}
    return {path.relative_to(folder).as_posix(): _digest(path) for path in sorted(found)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tensor_digest(name: str, tensor: Tensor) -> str:
    """SHA-256 over name, dtype, shape and bytes of one tensor."""
    flat = tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy()
    content = flat.data if flat.size else b""  # a view: a copy of a backbone takes as long as half its hash
    return content_id("tensor", name, str(tensor.dtype), str(tuple(tensor.shape)), content)
