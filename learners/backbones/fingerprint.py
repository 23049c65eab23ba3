"""SHA-256 of tensors and of the files of a backbone, to find what has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from learners.device import to_host
from tasks.content import content_id

if TYPE_CHECKING:
    from torch import Tensor

FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.bin", "1_Pooling/config.json")


def file_digests(folder: Path, hashed: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Returns name -> SHA-256 of every file in a model folder that loading may read. Names are relative paths.

    Args:
        hashed: Files whose SHA-256 is known already; they are not read again. Default: none.
    """
    found = {path for pattern in FILES for path in folder.glob(pattern) if path.is_file()}
    names = {path.relative_to(folder).as_posix(): path for path in sorted(found)}
    return {name: hashed.get(name) or _digest(path) for name, path in names.items()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tensor_digest(name: str, tensor: Tensor) -> str:
    """Returns the SHA-256 of name, dtype, shape and bytes of one tensor."""
    import torch

    flat = to_host(tensor.detach().contiguous().reshape(-1).view(torch.uint8))
    content = flat.data if flat.size else b""  # a view: a copy takes half as long as the hash itself
    return content_digest(name, str(tensor.dtype), tuple(tensor.shape), content)


def content_digest(name: str, dtype: str, shape: tuple[int, ...], content: bytes | memoryview) -> str:
    """Returns the digest of a tensor, given its bytes.

    Args:
        dtype: Its dtype as PyTorch writes it, such as "torch.float32".
    """
    return content_id("tensor", name, dtype, str(shape), content)
