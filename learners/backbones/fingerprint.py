"""SHA-256 of the files that a backbone is read from: what to name when one of them is no longer what it was."""

from __future__ import annotations

import hashlib
from pathlib import Path

FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.bin", "1_Pooling/config.json")


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a model folder that loading may read, by its name in the folder."""
    found = {path for pattern in FILES for path in folder.glob(pattern) if path.is_file()}
    return {path.relative_to(folder).as_posix(): _digest(path) for path in sorted(found)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
