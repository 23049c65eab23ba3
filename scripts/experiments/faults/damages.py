"""Damages: change a byte or cut a file of a finished run, its encoded data or its backbone. `verify` must name it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stream import InputError, verify

CUTS = 0.25  # share of damages that cut a file; the others change a byte
# Relative frequency of each kind of file; within a kind all files are equally likely.
WEIGHTS = {
    "ledger": 5,
    "Delta": 5,
    "fit record": 3,
    "results.json": 2,
    "R.csv": 1,
    "config.toml": 2,
    "encoded data": 4,
    "backbone": 3,
}


@dataclass(frozen=True)
class Damage:
    """One damage to a file.

    Attributes:
        place: Position in the file.
        mask: Changes the byte at `place` by exclusive or; None cuts off the file from there.
    """

    kind: str
    path: Path
    place: int
    mask: int | None

    @property
    def description(self) -> str:
        how = f"cut to {self.place} bytes" if self.mask is None else f"byte {self.place} changed by {self.mask:#04x}"
        return f"{self.path}: {how}"


def files_of(run: Path, cache: Path, backbone: Path) -> dict[str, list[Path]]:
    """Files of a finished run, of its cache of encoded data and of its backbone, by kind."""
    folders = {
        "ledger": run.glob("ledger.jsonl"),
        "Delta": run.glob("store/deltas/*.safetensors"),
        "fit record": run.glob("store/fits/*.json"),
        "results.json": run.glob("results.json"),
        "R.csv": run.glob("*/R.csv"),
        "config.toml": run.glob("config.toml"),
        "encoded data": cache.glob("encoded/*/*"),
        "backbone": backbone.glob("*"),
    }
    return {kind: sorted(paths) for kind, paths in folders.items()}


def plan_damages(files: dict[str, list[Path]], count: int, seed: int) -> Iterator[Damage]:
    draw = random.Random(seed)
    for kind in draw.choices([*WEIGHTS], [*WEIGHTS.values()], k=count):
        path = draw.choice(files[kind])
        place, cut = draw.randrange(path.stat().st_size), draw.random() < CUTS
        yield Damage(kind, path, place, None if cut else draw.randrange(1, 256))


def undetected(run: Path, damage: Damage) -> str | None:
    """Damage a file, verify the run, and restore the file.

    Returns:
        None if `verify` names the file; otherwise the damage and what `verify` said.
    """
    whole = damage.path.read_bytes()
    changed = bytearray(whole)
    if damage.mask is None:
        del changed[damage.place :]
    else:
        changed[damage.place] ^= damage.mask
    damage.path.write_bytes(changed)
    try:
        findings = [finding.file for finding in verify(run).findings]
    except InputError as error:
        findings = [error.where]
    except Exception as error:  # a defect of `verify` is not a detection
        return f"{damage.description}: {type(error).__name__}: {error}"
    finally:
        damage.path.write_bytes(whole)
    if any(file.startswith(str(damage.path)) for file in findings):
        return None
    return f"{damage.description}: " + (f"verify named {', '.join(findings[:3])} instead" if findings else "not found")
